//! Payments, refunds and the ledger.
