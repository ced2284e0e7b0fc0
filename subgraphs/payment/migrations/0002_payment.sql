-- Payments, one per order. A row without an amount is a tombstone: voided before it was ever started.
CREATE TABLE payment (
    id                uuid PRIMARY KEY,
    order_id          uuid NOT NULL UNIQUE,
    user_id           uuid,
    amount_minor      bigint CHECK (amount_minor > 0),
    currency          text CHECK (currency ~ '^[A-Z]{3}$'),
    method            text,
    status            text NOT NULL CHECK (status IN
        ('INITIATED', 'CAPTURED', 'FAILED', 'VOIDED', 'REFUND_PENDING', 'REFUNDED', 'PARTIALLY_REFUNDED')),
    -- set while a void waits for the provider's word
    void_requested_at timestamptz,
    psp_ref           text UNIQUE,
    decline_code      text,
    captured_at       timestamptz,
    refunded_minor    bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor),
    version           bigint NOT NULL,
    -- of the request that started it, for the events that follow
    correlation_id    text,
    created_at        timestamptz NOT NULL,
    -- recovery: when to ask the provider next, and how often it was asked since the last change
    next_check_at     timestamptz,
    checks            integer NOT NULL DEFAULT 0,
    CHECK ((amount_minor IS NULL) = (currency IS NULL) AND (amount_minor IS NULL) = (method IS NULL)
        AND (amount_minor IS NULL) = (user_id IS NULL)),
    CHECK (amount_minor IS NOT NULL OR (status = 'VOIDED' AND psp_ref IS NULL)),
    CHECK ((captured_at IS NOT NULL) = (status IN ('CAPTURED', 'REFUND_PENDING', 'REFUNDED', 'PARTIALLY_REFUNDED'))),
    CHECK (status <> 'REFUNDED' OR refunded_minor = amount_minor)
);
CREATE INDEX payment_due ON payment (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX payment_by_status ON payment (status, id DESC);

-- One row per payment and reason: whoever asks again with the reason gets the same refund.
CREATE TABLE refund (
    id            uuid PRIMARY KEY,
    payment_id    uuid NOT NULL REFERENCES payment,
    reason        text NOT NULL CHECK (reason ~ '^[a-z0-9_]{1,64}$'),
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      text NOT NULL,
    status        text NOT NULL CHECK (status IN ('PENDING', 'SUCCEEDED', 'FAILED')),
    psp_ref       text UNIQUE,
    failure       text,
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    next_check_at timestamptz,
    checks        integer NOT NULL DEFAULT 0,
    UNIQUE (payment_id, reason),
    CHECK ((ended_at IS NULL) = (status = 'PENDING'))
);
CREATE INDEX refund_due ON refund (next_check_at) WHERE next_check_at IS NOT NULL;

-- Double entry. The transaction id is the payment's (its capture) or the refund's, so that the primary key admits
-- each once, for ever.
CREATE TABLE ledger_entry (
    txn_id       uuid NOT NULL,
    account      text NOT NULL CHECK (account IN ('provider', 'orders')),
    kind         text NOT NULL CHECK (kind IN ('CAPTURE', 'REFUND')),
    payment_id   uuid NOT NULL REFERENCES payment,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency     text NOT NULL,
    booked_at    timestamptz NOT NULL,
    PRIMARY KEY (txn_id, account)
);
CREATE INDEX ledger_entry_by_payment ON ledger_entry (payment_id);

CREATE FUNCTION ledger_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER ledger_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_immutable();

-- A transaction is booked with one statement, whose entries must cancel out.
CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM booked GROUP BY txn_id, currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'ledger entries do not sum to zero' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_balanced AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS booked FOR EACH STATEMENT EXECUTE FUNCTION ledger_balances();

-- The provider's events that were dealt with. Pruned after 30 days; the state machine is a second wall for ever.
CREATE TABLE psp_event (
    psp_event_id text PRIMARY KEY,
    kind         text NOT NULL,
    payment_id   uuid,
    outcome      text NOT NULL,
    received_at  timestamptz NOT NULL
);
CREATE INDEX psp_event_received ON psp_event (received_at);
