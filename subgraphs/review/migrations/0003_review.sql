-- What is known of orders: who bought which product, and where the order stands. Both arrive as events, in any order.
CREATE TABLE buyer_order (
    order_id uuid   PRIMARY KEY,
    user_id  uuid   NOT NULL,
    -- Of the last status heard; an older one that arrives late changes nothing.
    sequence bigint NOT NULL,
    status   text   NOT NULL
);
CREATE INDEX buyer_order_user ON buyer_order (user_id);

CREATE TABLE order_product (
    order_id   uuid NOT NULL,
    product_id uuid NOT NULL,
    PRIMARY KEY (order_id, product_id)
);

CREATE TABLE review (
    id          uuid        PRIMARY KEY,
    product_id  uuid        NOT NULL,
    user_id     uuid        NOT NULL,
    rating      smallint    NOT NULL CHECK (rating BETWEEN 1 AND 5),
    title       text        NOT NULL CHECK (length(title) <= 120),
    body        text        NOT NULL CHECK (length(body) <= 5000),
    created_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    edited_at   timestamptz,
    hidden_at   timestamptz,
    hidden_by   uuid,
    hidden_why  text CHECK (length(hidden_why) <= 500),
    -- The author deleted it after it was hidden: its words are gone, and it still stands in the way of another.
    erased_at   timestamptz,
    CONSTRAINT one_review_each UNIQUE (user_id, product_id),
    CHECK ((hidden_at IS NULL) = (hidden_by IS NULL)),
    CHECK ((hidden_at IS NULL) = (hidden_why IS NULL)),
    CHECK (erased_at IS NULL OR (hidden_at IS NOT NULL AND title = '' AND body = ''))
);
-- One for each order a page can have. Ids are UUIDv7: by id is by time.
CREATE INDEX review_newest ON review (product_id, id DESC) WHERE hidden_at IS NULL;
CREATE INDEX review_rating ON review (product_id, rating, id) WHERE hidden_at IS NULL;
CREATE INDEX review_user ON review (user_id, id DESC);

-- Count and sum of the visible reviews of a product, changed in the transaction that changes a review.
CREATE TABLE product_rating (
    product_id uuid   PRIMARY KEY,
    reviews    bigint NOT NULL CHECK (reviews >= 0),
    total      bigint NOT NULL,
    CHECK (total BETWEEN reviews AND 5 * reviews)
);
