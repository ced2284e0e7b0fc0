//! Double entry: what a capture and a refund book. The entries of one transaction always sum to zero.

use contracts::Money;

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// What the provider holds for us.
    Provider,
    /// What orders brought in.
    Orders,
}

impl Account {
    /// Its name in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Orders => "orders",
        }
    }
}

/// One line: an account and the signed minor units it changes by.
pub type Entry = (Account, i64);

/// What a capture books.
pub const fn capture_entries(amount: Money) -> [Entry; 2] {
    [
        (Account::Provider, amount.amount_minor),
        (Account::Orders, -amount.amount_minor),
    ]
}

/// What a refund books.
pub const fn refund_entries(amount: Money) -> [Entry; 2] {
    [
        (Account::Provider, -amount.amount_minor),
        (Account::Orders, amount.amount_minor),
    ]
}

#[cfg(test)]
mod tests {
    use contracts::Currency;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_cancel_out(minor in 1..i64::MAX) {
            let amount = Money::new(minor, Currency::EUR);
            for entries in [capture_entries(amount), refund_entries(amount)] {
                prop_assert_eq!(entries.iter().map(|(_, minor)| minor).sum::<i64>(), 0);
            }
        }
    }
}
