//! Names under which enumerations are stored.

use contracts::order::{CancelReason, OrderStatus, OrderStep};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::returns::{MoneyBack, UnitsBack};
use crate::saga::{Action, Attention, PaymentFact, RefundReason, StockFact};

/// A stored name that this version of the program does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown {kind} {text:?}")]
pub(crate) struct UnknownName {
    kind: &'static str,
    text: String,
}

/// An enumeration that is stored by name.
pub(crate) trait Stored: Copy + Sized {
    /// What it is called in errors.
    const KIND: &'static str;

    /// Its stored name.
    fn text(self) -> String;

    /// Reads a stored name.
    fn read(text: &str) -> Result<Self, sqlx::Error>;

    /// Reads a stored name that may be missing.
    fn read_opt(text: Option<&str>) -> Result<Option<Self>, sqlx::Error> {
        text.map(Self::read).transpose()
    }

    /// The error for a name that isn't known.
    fn unknown(text: &str) -> sqlx::Error {
        super::unreadable(UnknownName {
            kind: Self::KIND,
            text: text.to_owned(),
        })
    }
}

/// Wire enumerations are stored under their wire names.
macro_rules! stored_as_on_the_wire {
    ($($name:ident = $kind:literal;)*) => {$(
        impl Stored for $name {
            const KIND: &'static str = $kind;

            fn text(self) -> String {
                wire_name(&self)
            }

            fn read(text: &str) -> Result<Self, sqlx::Error> {
                from_wire_name(text).ok_or_else(|| Self::unknown(text))
            }
        }
    )*};
}

stored_as_on_the_wire! {
    OrderStatus = "order status";
    OrderStep = "order step";
    CancelReason = "cancel reason";
}

fn wire_name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

fn from_wire_name<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

macro_rules! stored_as {
    ($($name:ident = $kind:literal { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        impl Stored for $name {
            const KIND: &'static str = $kind;

            fn text(self) -> String {
                match self {
                    $(Self::$variant => $text,)*
                }
                .to_owned()
            }

            fn read(text: &str) -> Result<Self, sqlx::Error> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Self::unknown(text)),
                }
            }
        }
    )*};
}

stored_as! {
    PaymentFact = "payment fact" {
        NotStarted = "NOT_STARTED",
        Started = "STARTED",
        Failed = "FAILED",
        Voided = "VOIDED",
        Captured = "CAPTURED",
        Refunded = "REFUNDED",
    }
    StockFact = "stock fact" {
        NotAsked = "NOT_ASKED",
        Asked = "ASKED",
        Held = "HELD",
        Refused = "REFUSED",
        Confirmed = "CONFIRMED",
        Released = "RELEASED",
    }
    RefundReason = "refund reason" {
        LatePayment = "late_payment",
        StockGone = "stock_gone",
        Operator = "operator",
    }
    MoneyBack = "money of a return" {
        Nothing = "NOTHING",
        Due = "DUE",
        Asked = "ASKED",
        Done = "DONE",
        Refused = "REFUSED",
    }
    UnitsBack = "units of a return" {
        Nothing = "NOTHING",
        Due = "DUE",
        Done = "DONE",
        Refused = "REFUSED",
    }
    Attention = "attention" {
        Retries = "RETRIES",
        Contradiction = "CONTRADICTION",
    }
}

impl Stored for Action {
    const KIND: &'static str = "saga step";

    fn text(self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Result<Self, sqlx::Error> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| Self::unknown(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_unknown_ones_are_errors() {
        for action in Action::ALL {
            assert_eq!(Action::read(&action.text()).unwrap(), action);
        }
        assert_eq!(
            RefundReason::LatePayment.text(),
            contracts::payment::REASON_LATE_PAYMENT
        );
        assert_eq!(
            RefundReason::StockGone.text(),
            contracts::payment::REASON_STOCK_GONE
        );
        assert_eq!(OrderStep::StockReserved.text(), "STOCK_RESERVED");
        assert_eq!(CancelReason::read("CUSTOMER").unwrap(), CancelReason::Customer);
        assert!(PaymentFact::read("MAYBE").is_err());
        assert!(OrderStatus::read("LOST").is_err());
    }
}
