-- Outcomes by idempotency key. The row is written in the business transaction: a crash leaves nothing, a commit replays.
CREATE TABLE idempotency_key (
    principal    text        NOT NULL,
    operation    text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request_hash bytea       NOT NULL CHECK (length(request_hash) = 32),
    response     jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, operation, key)
);
CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);
