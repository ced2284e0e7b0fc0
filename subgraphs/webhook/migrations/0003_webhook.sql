-- Where events are sent, and which ones.
CREATE TABLE endpoint (
    id              uuid PRIMARY KEY,
    url             text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    description     text NOT NULL CHECK (length(description) <= 500),
    event_types     text[] NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 20),
    enabled         boolean NOT NULL DEFAULT true,
    -- why we switched it off; nobody's words if an administrator did
    disabled_reason text,
    -- since when every try has failed
    failing_since   timestamptz,
    created_at      timestamptz NOT NULL,
    CHECK (disabled_reason IS NULL OR NOT enabled)
);

-- What deliveries are signed with: one that stays, and those before it until they expire. Sealed by WEBHOOK_KEY.
CREATE TABLE secret (
    id          uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES endpoint ON DELETE CASCADE,
    sealed      bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz
);
CREATE INDEX secret_of_endpoint ON secret (endpoint_id);
CREATE UNIQUE INDEX secret_that_stays ON secret (endpoint_id) WHERE expires_at IS NULL;

-- The body of an event, once for all who get it, byte for byte as it is signed.
CREATE TABLE payload (
    event_id   uuid PRIMARY KEY,
    type       text NOT NULL,
    -- none for a test
    order_id   uuid,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX payload_created_at ON payload (created_at);

-- An event on its way to an endpoint, or there. Its id is the webhook-id.
CREATE TABLE delivery (
    id             uuid PRIMARY KEY,
    endpoint_id    uuid NOT NULL REFERENCES endpoint ON DELETE CASCADE,
    event_id       uuid NOT NULL REFERENCES payload,
    state          text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'DELIVERED', 'DEAD')),
    attempts       integer NOT NULL DEFAULT 0,
    -- how often somebody took it up: who writes an outcome must still be the last
    claims         bigint NOT NULL DEFAULT 0,
    next_try_at    timestamptz NOT NULL DEFAULT statement_timestamp(),
    lease_until    timestamptz,
    last_status    integer,
    last_error     text,
    created_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    -- of the event that caused it
    correlation_id text,
    traceparent    text,
    UNIQUE (endpoint_id, event_id),
    CHECK ((ended_at IS NULL) = (state = 'PENDING')),
    CHECK (lease_until IS NULL OR state = 'PENDING')
) WITH (fillfactor = 80);
CREATE INDEX delivery_of_endpoint ON delivery (endpoint_id, id DESC);
CREATE INDEX delivery_of_payload ON delivery (event_id);
CREATE INDEX delivery_due ON delivery (endpoint_id, next_try_at) WHERE state = 'PENDING';
CREATE INDEX delivery_in_flight ON delivery (endpoint_id, lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX delivery_open ON delivery (state, next_try_at) WHERE state <> 'DELIVERED';
CREATE INDEX delivery_created_at ON delivery (created_at);
