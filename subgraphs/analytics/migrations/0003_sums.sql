-- Sums over the facts. Hours and days are UTC's. They change much and are few: room for changes in place.
CREATE TABLE sales_hour (
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    hour            timestamptz NOT NULL,
    orders          bigint NOT NULL,
    paid            bigint NOT NULL,
    cancelled       bigint NOT NULL,
    revenue_minor   bigint NOT NULL,
    refunded_minor  bigint NOT NULL,
    discounts_minor bigint NOT NULL,
    PRIMARY KEY (currency, hour)
) WITH (fillfactor = 70);

CREATE TABLE product_day (
    currency    text NOT NULL,
    day         date NOT NULL,
    product_id  uuid NOT NULL,
    units       bigint NOT NULL,
    sales_minor bigint NOT NULL,
    PRIMARY KEY (currency, day, product_id)
) WITH (fillfactor = 70);

CREATE TABLE category_day (
    currency    text NOT NULL,
    day         date NOT NULL,
    category_id uuid NOT NULL,
    units       bigint NOT NULL,
    sales_minor bigint NOT NULL,
    PRIMARY KEY (currency, day, category_id)
) WITH (fillfactor = 70);

CREATE TABLE refusal_day (
    day    date NOT NULL,
    reason text NOT NULL,
    orders bigint NOT NULL,
    PRIMARY KEY (day, reason)
) WITH (fillfactor = 70);

-- How long orders took until they were paid or cancelled: bucket n holds 1.05^n to 1.05^(n+1) milliseconds.
CREATE TABLE latency_hour (
    hour   timestamptz NOT NULL,
    bucket smallint NOT NULL,
    orders bigint NOT NULL,
    PRIMARY KEY (hour, bucket)
) WITH (fillfactor = 70);

CREATE TABLE customer_day (
    day        date PRIMARY KEY,
    first_time bigint NOT NULL,
    again      bigint NOT NULL
) WITH (fillfactor = 70);

-- Which products were paid for together, a < b; and in how many such orders each was.
CREATE TABLE pair (
    product_a uuid NOT NULL,
    product_b uuid NOT NULL,
    orders    bigint NOT NULL,
    PRIMARY KEY (product_a, product_b),
    CHECK (product_a < product_b)
) WITH (fillfactor = 70);
CREATE INDEX pair_of_b ON pair (product_b, product_a);

CREATE TABLE product_orders (
    product_id uuid PRIMARY KEY,
    orders     bigint NOT NULL
) WITH (fillfactor = 70);

-- One row: the orders that pair and product_orders count.
CREATE TABLE basket_total (
    the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
    orders  bigint NOT NULL
) WITH (fillfactor = 70);

-- Carts begun in an hour, as cart told last. Not from the facts: it stays when they are folded again.
CREATE TABLE carts_hour (
    hour  timestamptz PRIMARY KEY,
    carts bigint NOT NULL CHECK (carts >= 0)
);

-- Each time the sums were made again from the facts.
CREATE TABLE rebuild (
    id         uuid PRIMARY KEY,
    asked_by   uuid NOT NULL,
    reason     text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    ended_at   timestamptz,
    facts      bigint,
    orders     bigint,
    failure    text,
    CHECK (failure IS NULL OR ended_at IS NOT NULL)
);
