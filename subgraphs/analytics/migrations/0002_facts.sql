-- What was heard, never changed: everything else here can be made again from it. The same version of the same kind is
-- the same fact, whatever its event is called.
CREATE TABLE fact (
    order_id uuid NOT NULL,
    type     text NOT NULL,
    -- of the aggregate that the event is about: an order's own steps, or its payment's
    version  bigint NOT NULL,
    event_id uuid NOT NULL,
    -- by the publisher's clock
    at       timestamptz NOT NULL,
    payload  jsonb NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (order_id, type, version)
);

-- What is known of one order, in whatever order it was heard.
CREATE TABLE order_fact (
    order_id       uuid PRIMARY KEY,
    user_id        uuid,
    currency       text CHECK (currency ~ '^[A-Z]{3}$'),
    total_minor    bigint,
    discount_minor bigint,
    -- [{"product", "category", "units", "sales_minor"}]
    lines          jsonb,
    placed_at      timestamptz,
    paid_at        timestamptz,
    cancelled_at   timestamptz,
    cancel_reason  text,
    -- {"VERSION": {"at", "minor", "currency"}}
    refunds        jsonb NOT NULL DEFAULT '{}',
    CHECK ((placed_at IS NULL) = (user_id IS NULL)),
    CHECK ((placed_at IS NULL) = (currency IS NULL)),
    CHECK ((placed_at IS NULL) = (total_minor IS NULL)),
    CHECK ((placed_at IS NULL) = (discount_minor IS NULL)),
    CHECK ((placed_at IS NULL) = (lines IS NULL)),
    CHECK (cancel_reason IS NULL OR cancelled_at IS NOT NULL)
);

-- On which days somebody paid for how many orders: the first of them is the day they were new.
CREATE TABLE buyer_day (
    user_id uuid NOT NULL,
    day     date NOT NULL,
    orders  bigint NOT NULL,
    PRIMARY KEY (user_id, day)
);
