-- Sold units that came back one by one: of a line's `qty`, `returned` are on the shelf again. What is sold of a
-- confirmed line is `qty - returned`. The ledger's row is the key: attempt is the number of the return.
ALTER TABLE reservation
    ADD COLUMN returned integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT reservation_returned_range CHECK (returned BETWEEN 0 AND qty);

ALTER TABLE stock_ledger
    DROP CONSTRAINT stock_ledger_kind_check,
    ADD CONSTRAINT stock_ledger_kind_check
        CHECK (kind IN ('RECEIVE', 'ADJUST', 'HOLD', 'CONFIRM', 'RELEASE', 'EXPIRE', 'RESTOCK', 'RETURN')) NOT VALID;
ALTER TABLE stock_ledger VALIDATE CONSTRAINT stock_ledger_kind_check;
