-- Coupons and who spent them. What a coupon gives never changes once it is made: an order that was priced with it
-- finds it the same when it is placed. Only its counter moves, and its end may come sooner.
CREATE TABLE coupon (
    code             text PRIMARY KEY CHECK (code ~ '^[A-Z0-9-]{3,32}$'),
    -- one of the two: a share of the sum, or an amount
    percent_off      integer CHECK (percent_off BETWEEN 1 AND 100),
    amount_off_minor bigint CHECK (amount_off_minor > 0),
    -- of the amounts; a percentage without a minimum is good for every currency
    currency         text CHECK (currency ~ '^[A-Z]{3}$'),
    minimum_minor    bigint CHECK (minimum_minor > 0),
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz CHECK (ends_at >= starts_at),
    max_redemptions  integer CHECK (max_redemptions > 0),
    max_per_user     integer CHECK (max_per_user > 0),
    -- orders that use it and are not cancelled: equals the rows of coupon_redemption not given back
    redeemed         integer NOT NULL DEFAULT 0 CHECK (redeemed >= 0),
    created_at       timestamptz NOT NULL,
    CHECK ((percent_off IS NULL) <> (amount_off_minor IS NULL)),
    CHECK ((currency IS NULL) = (amount_off_minor IS NULL AND minimum_minor IS NULL)),
    CHECK (redeemed <= max_redemptions)
) WITH (fillfactor = 70);

-- Written with its order and given back with its cancellation, both under the coupon's row lock.
CREATE TABLE coupon_redemption (
    order_id       uuid PRIMARY KEY REFERENCES orders (id),
    code           text NOT NULL REFERENCES coupon (code),
    user_id        uuid NOT NULL,
    discount_minor bigint NOT NULL CHECK (discount_minor > 0),
    redeemed_at    timestamptz NOT NULL DEFAULT statement_timestamp(),
    given_back_at  timestamptz
);
CREATE INDEX coupon_redemption_live ON coupon_redemption (code, user_id) WHERE given_back_at IS NULL;

ALTER TABLE orders
    ADD COLUMN coupon_code text,
    ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
    ADD CONSTRAINT orders_coupon CHECK ((coupon_code IS NULL) = (discount_minor = 0));
