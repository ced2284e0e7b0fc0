//! Enums as the database spells them, which is also how the wire does.

use contracts::notification::NotificationKind;
use contracts::order::CancelReason;

use super::unreadable;
use crate::domain::{Channel, MailState};

/// A value that is kept as text.
pub(crate) trait Stored: Copy + Sized + 'static {
    /// Every value, with its text.
    const TEXTS: &'static [(Self, &'static str)];

    /// Whether two values are the same.
    fn is(self, other: Self) -> bool;

    /// The text of a value.
    fn text(self) -> &'static str {
        let known = Self::TEXTS.iter().find(|(value, _)| value.is(self));
        known.map_or("", |(_, text)| text)
    }

    /// The value of a text.
    fn read(text: &str) -> Result<Self, sqlx::Error> {
        let known = Self::TEXTS.iter().find(|(_, known)| *known == text);
        known
            .map(|(value, _)| *value)
            .ok_or_else(|| unreadable(format!("{text} is not known here")))
    }
}

macro_rules! stored {
    ($kind:ident { $($value:ident = $text:literal,)* }) => {
        impl Stored for $kind {
            const TEXTS: &'static [(Self, &'static str)] = &[$((Self::$value, $text)),*];

            fn is(self, other: Self) -> bool {
                self == other
            }
        }
    };
}

stored!(NotificationKind {
    OrderReceived = "ORDER_RECEIVED",
    OrderPaid = "ORDER_PAID",
    OrderCancelled = "ORDER_CANCELLED",
    OrderShipped = "ORDER_SHIPPED",
    OrderDelivered = "ORDER_DELIVERED",
    RefundCompleted = "REFUND_COMPLETED",
});

stored!(CancelReason {
    OutOfStock = "OUT_OF_STOCK",
    PaymentDeclined = "PAYMENT_DECLINED",
    PaymentTimeout = "PAYMENT_TIMEOUT",
    Customer = "CUSTOMER",
    Operator = "OPERATOR",
});

stored!(Channel {
    InApp = "IN_APP",
    Email = "EMAIL",
});

stored!(MailState {
    Pending = "PENDING",
    Sent = "SENT",
    Dead = "DEAD",
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preference::KINDS;

    #[test]
    fn every_kind_has_a_text_that_reads_back() {
        for kind in KINDS {
            assert_eq!(NotificationKind::read(kind.text()).unwrap(), kind);
        }
        for channel in Channel::ALL {
            assert_eq!(Channel::read(channel.text()).unwrap(), channel);
        }
        assert!(MailState::read("LOST").is_err());
    }
}
