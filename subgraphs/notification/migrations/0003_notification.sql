-- Whose order it is: a refund names the order alone.
CREATE TABLE known_order (
    order_id uuid PRIMARY KEY,
    user_id  uuid NOT NULL
);

-- What people were told in the shop. An event tells of each kind once, however often it comes.
CREATE TABLE notification (
    id            uuid PRIMARY KEY,
    sequence      bigint GENERATED ALWAYS AS IDENTITY,
    event_id      uuid NOT NULL,
    user_id       uuid NOT NULL,
    order_id      uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('ORDER_RECEIVED', 'ORDER_PAID', 'ORDER_CANCELLED', 'ORDER_SHIPPED',
        'ORDER_DELIVERED', 'REFUND_COMPLETED')),
    cancel_reason text,
    amount_minor  bigint,
    currency      text CHECK (currency ~ '^[A-Z]{3}$'),
    created_at    timestamptz NOT NULL,
    read_at       timestamptz,
    UNIQUE (event_id, kind),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX notification_of_user ON notification (user_id, id DESC);
CREATE INDEX notification_unread ON notification (user_id, id DESC) WHERE read_at IS NULL;

-- What somebody does or does not want to be told. No row: they want it.
CREATE TABLE preference (
    user_id uuid NOT NULL,
    kind    text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('IN_APP', 'EMAIL')),
    enabled boolean NOT NULL,
    PRIMARY KEY (user_id, kind, channel)
);

-- Mails to be sent, and those that were. An event makes one of each kind. No address: auth is asked when it is sent.
CREATE TABLE mail (
    id             uuid PRIMARY KEY,
    event_id       uuid NOT NULL,
    user_id        uuid NOT NULL,
    order_id       uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('ORDER_RECEIVED', 'ORDER_PAID', 'ORDER_CANCELLED', 'ORDER_SHIPPED',
        'ORDER_DELIVERED', 'REFUND_COMPLETED')),
    cancel_reason  text,
    amount_minor   bigint,
    currency       text CHECK (currency ~ '^[A-Z]{3}$'),
    state          text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SENT', 'DEAD')),
    -- tries that the mail itself had; waiting for an absent server is none
    attempts       integer NOT NULL DEFAULT 0,
    -- how often somebody took it up: who writes an outcome must still be the last
    claims         bigint NOT NULL DEFAULT 0,
    next_try_at    timestamptz NOT NULL DEFAULT statement_timestamp(),
    lease_until    timestamptz,
    last_error     text,
    created_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    -- of the event that caused it
    correlation_id text,
    traceparent    text,
    UNIQUE (event_id, kind),
    CHECK ((amount_minor IS NULL) = (currency IS NULL)),
    CHECK ((ended_at IS NULL) = (state = 'PENDING')),
    CHECK (lease_until IS NULL OR state = 'PENDING')
) WITH (fillfactor = 80);
CREATE INDEX mail_due ON mail (next_try_at) WHERE state = 'PENDING';
CREATE INDEX mail_unsent ON mail (state, created_at) WHERE state <> 'SENT';
CREATE INDEX mail_dead ON mail (id DESC) WHERE state = 'DEAD';
