-- Returns: a part of a paid order's money sent back, for lines that came back or as an amount, beside the order's saga.
-- The counters are the second wall: no sum of returns passes what was paid, nor what was bought.
ALTER TABLE orders
    ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT orders_returned_range CHECK (returned_minor BETWEEN 0 AND total_minor);
ALTER TABLE order_line
    ADD COLUMN returned integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT order_line_returned_range CHECK (returned BETWEEN 0 AND quantity);

CREATE TABLE order_return (
    order_id        uuid NOT NULL REFERENCES orders (id),
    -- from 1; with the order's id, the key of the calls
    number          integer NOT NULL CHECK (number > 0),
    amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
    note            text NOT NULL,
    money           text NOT NULL CHECK (money IN ('NOTHING', 'DUE', 'ASKED', 'DONE', 'REFUSED')),
    units           text NOT NULL CHECK (units IN ('NOTHING', 'DUE', 'DONE', 'REFUSED')),
    -- a refund that was refused for good is asked for under another key, once a person says so
    refund_try      integer NOT NULL DEFAULT 1 CHECK (refund_try > 0),
    -- rises with every save and every claim: whoever holds an older one has lost
    version         bigint NOT NULL DEFAULT 1,
    attempt         integer NOT NULL DEFAULT 0,
    -- a claim pushes it to the end of its lease, so that one index finds what is due and what was abandoned
    next_run_at     timestamptz,
    needs_attention boolean NOT NULL DEFAULT false,
    last_error      text,
    -- of the request that asked for it
    correlation_id  text,
    traceparent     text,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at        timestamptz,
    PRIMARY KEY (order_id, number),
    CHECK ((amount_minor = 0) = (money = 'NOTHING')),
    CHECK ((ended_at IS NOT NULL) = (money IN ('NOTHING', 'DONE') AND units IN ('NOTHING', 'DONE')))
) WITH (fillfactor = 70);
CREATE INDEX order_return_due ON order_return (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE INDEX order_return_attention ON order_return (order_id) WHERE needs_attention;

CREATE TABLE order_return_line (
    order_id uuid NOT NULL,
    number   integer NOT NULL,
    line_no  integer NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    restock  boolean NOT NULL,
    PRIMARY KEY (order_id, number, line_no),
    FOREIGN KEY (order_id, number) REFERENCES order_return,
    FOREIGN KEY (order_id, line_no) REFERENCES order_line
);

-- The search of operators: by number, and by the words of what was bought. Whatever is no letter and no digit of ASCII
-- parts words, in the index as in what is looked for.
CREATE INDEX orders_by_number ON orders (number);
CREATE FUNCTION order_words(sku text, name text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT to_tsvector('simple', regexp_replace(lower(sku || ' ' || name), '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g')) $$;
CREATE INDEX order_line_words ON order_line USING gin (order_words(sku, name));
