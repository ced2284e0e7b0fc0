-- Events received, stored before they are acknowledged, and applied by event-bus's inbox worker in one transaction
-- with their effect. Copied verbatim from crates/event-bus/sql. A row is held by its row lock while it is handled,
-- so there is no lease that could outlive its holder.
CREATE TABLE inbox (
    consumer     text NOT NULL,
    message_id   uuid NOT NULL,
    type         text NOT NULL,
    aggregate_id text NOT NULL,
    payload      json NOT NULL,
    status       text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DONE', 'DEAD')),
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    received_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    done_at      timestamptz,
    last_error   text,
    PRIMARY KEY (consumer, message_id),
    CHECK ((status = 'DONE') = (done_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX inbox_pending ON inbox (consumer, next_try_at) WHERE status = 'PENDING';
CREATE INDEX inbox_dead ON inbox (consumer) WHERE status = 'DEAD';
