//! The business of payments, pure: what a payment and a refund are, and what each piece of news does to them.
//!
//! Owns every rule. Must not know a store, a transport, a clock or the provider's wire format.

mod ledger;
mod payment;
mod refund;
mod report;

pub use ledger::{Account, Entry, capture_entries, refund_entries};
pub use payment::{Change, News, Payment, Stage, Terms};
pub use refund::{Refund, RefundChange, RefundNews, RefundStage, is_reason};
pub use report::{Mismatch, RefundReport, Report};

#[cfg(test)]
mod tests;
