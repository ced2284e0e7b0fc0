-- Units per SKU. Every unit received is in exactly one place, and the database itself refuses anything else.
-- The fill factor leaves room on the page so that the hot counters are updated in place.
CREATE TABLE stock (
    sku       text COLLATE "C" PRIMARY KEY,
    received  integer NOT NULL DEFAULT 0,
    available integer NOT NULL DEFAULT 0,
    reserved  integer NOT NULL DEFAULT 0,
    sold      integer NOT NULL DEFAULT 0,
    CONSTRAINT stock_sku_shape CHECK (sku ~ '^[A-Za-z0-9._-]{1,64}$'),
    CONSTRAINT stock_received_range CHECK (received BETWEEN 0 AND 1000000000),
    CONSTRAINT stock_available_not_negative CHECK (available >= 0),
    CONSTRAINT stock_reserved_not_negative CHECK (reserved >= 0),
    CONSTRAINT stock_sold_not_negative CHECK (sold >= 0),
    CONSTRAINT stock_adds_up CHECK (received = available + reserved + sold)
) WITH (fillfactor = 70);

-- One row per order that ever asked. TOMBSTONE: the release came before the reservation, which must not happen any more.
CREATE TABLE reservation_head (
    order_id     uuid PRIMARY KEY,
    state        text NOT NULL,
    request_hash bytea,
    attempt      integer NOT NULL DEFAULT 1,
    version      bigint NOT NULL DEFAULT 1,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT reservation_head_state CHECK (state IN ('HELD', 'CONFIRMED', 'RELEASED', 'EXPIRED', 'RESTOCKED', 'TOMBSTONE')),
    CONSTRAINT reservation_head_tombstone_is_bare CHECK ((state = 'TOMBSTONE') = (request_hash IS NULL))
);

CREATE INDEX reservation_head_due ON reservation_head (expires_at) WHERE state = 'HELD';

-- No foreign key to stock: it would take a share lock on the hottest rows of the database.
CREATE TABLE reservation (
    order_id   uuid NOT NULL REFERENCES reservation_head,
    sku        text COLLATE "C" NOT NULL,
    qty        integer NOT NULL CHECK (qty > 0),
    state      text NOT NULL CHECK (state IN ('HELD', 'CONFIRMED', 'RELEASED', 'EXPIRED', 'RESTOCKED')),
    expires_at timestamptz NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (order_id, sku)
);

-- Every movement of units, for ever. Only ADJUST is signed; the kind says which way the others go.
CREATE TABLE stock_ledger (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku      text COLLATE "C" NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('RECEIVE', 'ADJUST', 'HOLD', 'CONFIRM', 'RELEASE', 'EXPIRE', 'RESTOCK')),
    quantity integer NOT NULL CHECK (quantity <> 0 AND (quantity > 0 OR kind = 'ADJUST')),
    order_id uuid,
    attempt  integer,
    reason   text,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT stock_ledger_once UNIQUE (order_id, sku, kind, attempt),
    CONSTRAINT stock_ledger_order_or_staff CHECK ((order_id IS NULL) = (kind IN ('RECEIVE', 'ADJUST')) AND (order_id IS NULL) = (attempt IS NULL))
);

CREATE INDEX stock_ledger_by_sku ON stock_ledger (sku, id DESC);

CREATE FUNCTION stock_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_ledger is append-only';
END
$$;

CREATE TRIGGER stock_ledger_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION stock_ledger_is_append_only();
