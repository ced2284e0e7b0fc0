-- Events written in the business transaction and published by event-bus's relay. Copied verbatim from crates/event-bus/sql.
-- Rows are found by "not yet published", never by sequence: transactions don't commit in sequence order.
-- Ids are UUIDv7, so pruning walks the primary key.
CREATE TABLE outbox (
    id                uuid PRIMARY KEY,
    aggregate_id      text NOT NULL,
    aggregate_version bigint NOT NULL,
    exchange          text NOT NULL,
    routing_key       text NOT NULL,
    -- false: an announcement that may have no listener; true: unroutable means not published
    mandatory         boolean NOT NULL DEFAULT true,
    headers           json NOT NULL,
    payload           json NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT statement_timestamp(),
    published_at      timestamptz,
    attempts          integer NOT NULL DEFAULT 0,
    next_try_at       timestamptz NOT NULL DEFAULT statement_timestamp(),
    lease_until       timestamptz,
    UNIQUE (aggregate_id, aggregate_version, routing_key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX outbox_unpublished ON outbox (next_try_at) WHERE published_at IS NULL;
