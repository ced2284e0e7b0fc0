-- Orders, their history, and the saga that carries them. Migrations are forward only and suit the old and the new
-- code at the same time: expand in one release, contract in a later one.
CREATE SEQUENCE order_number START 100001;

CREATE TABLE orders (
    id              uuid PRIMARY KEY,
    number          bigint NOT NULL DEFAULT nextval('order_number'),
    user_id         uuid NOT NULL,
    -- where it is (saga.md), and what of it the public sees
    status          text NOT NULL CHECK (status IN ('CREATED', 'RESERVING', 'RESERVED', 'PAYING', 'PAYMENT_PENDING',
                        'CONFIRMING', 'PAID', 'SHIPPED', 'DELIVERED', 'CANCELLING', 'CANCELLED', 'REFUNDING', 'REFUNDED')),
    public_status   text NOT NULL CHECK (public_status IN ('PENDING', 'AWAITING_PAYMENT', 'PAID', 'SHIPPED',
                        'DELIVERED', 'CANCELLED', 'REFUNDED')),
    -- equals the number of history rows
    version         bigint NOT NULL CHECK (version > 0),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    total_minor     bigint NOT NULL CHECK (total_minor > 0),
    payment_method  text NOT NULL,
    reason          text CHECK (reason IN ('OUT_OF_STOCK', 'PAYMENT_DECLINED', 'PAYMENT_TIMEOUT', 'CUSTOMER', 'OPERATOR')),
    refund_note     text,
    carrier         text,
    tracking_number text,
    created_at      timestamptz NOT NULL,
    terminal_at     timestamptz,
    CHECK ((terminal_at IS NOT NULL) = (status IN ('PAID', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'REFUNDED')))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
-- Ids are UUIDv7, so newest first is id descending.
CREATE INDEX orders_of_user ON orders (user_id, id DESC);
CREATE INDEX orders_open ON orders (created_at) WHERE terminal_at IS NULL;

CREATE TABLE order_line (
    order_id         uuid NOT NULL REFERENCES orders (id),
    line_no          integer NOT NULL CHECK (line_no > 0),
    variant_id       uuid NOT NULL,
    product_id       uuid NOT NULL,
    sku              text NOT NULL,
    name             text NOT NULL,
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    quantity         integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, line_no)
);

-- One row per version of an order; written in the statement that moves the order.
CREATE TABLE order_history (
    order_id      uuid NOT NULL,
    version       bigint NOT NULL,
    from_status   text,
    to_status     text NOT NULL,
    step          text NOT NULL,
    public_status text NOT NULL,
    cause         text NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (order_id, version)
);

CREATE TABLE saga (
    order_id        uuid PRIMARY KEY REFERENCES orders (id),
    -- rises with every save and every claim: whoever holds an older one has lost
    version         bigint NOT NULL,
    -- the call whose answer is awaited, and how many times it was started
    step            text CHECK (step IN ('reserve', 'pay', 'confirm', 'void', 'release', 'refund', 'restock')),
    attempt         integer NOT NULL,
    payment         text NOT NULL CHECK (payment IN ('NOT_STARTED', 'STARTED', 'FAILED', 'VOIDED', 'CAPTURED', 'REFUNDED')),
    stock           text NOT NULL CHECK (stock IN ('NOT_ASKED', 'ASKED', 'HELD', 'REFUSED', 'CONFIRMED', 'RELEASED')),
    refund_reason   text CHECK (refund_reason IN ('late_payment', 'stock_gone', 'operator')),
    refund_restock  boolean,
    refund_asked    boolean,
    -- a lease pushes next_run_at to its own end, so that one index finds what is due and what was abandoned
    next_run_at     timestamptz,
    lease_owner     text,
    lease_until     timestamptz,
    deadline_at     timestamptz NOT NULL,
    attention       text CHECK (attention IN ('RETRIES', 'CONTRADICTION')),
    needs_attention boolean NOT NULL GENERATED ALWAYS AS (attention IS NOT NULL) STORED,
    last_error      text,
    -- of the request that placed the order
    correlation_id  text,
    traceparent     text,
    CHECK ((step IS NULL) = (next_run_at IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((refund_reason IS NULL) = (refund_restock IS NULL) AND (refund_reason IS NULL) = (refund_asked IS NULL))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX saga_due ON saga (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE INDEX saga_attention ON saga (order_id) WHERE attention IS NOT NULL;

-- The log of calls: STARTED is committed before the call is made.
CREATE TABLE saga_step (
    order_id   uuid NOT NULL,
    step       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('fwd', 'comp')),
    status     text NOT NULL CHECK (status IN ('STARTED', 'OK', 'REFUSED')),
    attempts   integer NOT NULL,
    response   text,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    PRIMARY KEY (order_id, step),
    CHECK ((status = 'STARTED') = (ended_at IS NULL))
) WITH (fillfactor = 70);

-- Gone when it has fired or its order is final.
CREATE TABLE saga_timer (
    order_id uuid NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('deadline')),
    fire_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, kind)
);
CREATE INDEX saga_timer_due ON saga_timer (fire_at);

-- Carts still to be told that they were ordered. Best effort: an order never waits for it.
CREATE TABLE cart_checkout (
    order_id     uuid PRIMARY KEY,
    cart_id      uuid NOT NULL,
    cart_version integer NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX cart_checkout_due ON cart_checkout (next_try_at);
