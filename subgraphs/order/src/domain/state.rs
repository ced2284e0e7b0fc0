//! Where an order is, and what of it the public sees.

use std::fmt;
use std::str::FromStr;

use contracts::order::{CancelReason, OrderStatus};

/// Where an order is. The order service is its only writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Accepted; never at rest, the same transaction goes on to `Reserving`.
    Created,
    /// Stock is being set aside.
    Reserving,
    /// Stock is set aside; never at rest.
    Reserved,
    /// The payment is being started.
    Paying,
    /// The provider has the payment; its event decides.
    PaymentPending,
    /// The money is captured; the stock is being turned into sold units.
    Confirming,
    /// The good end: money captured, units sold.
    Paid,
    /// On its way to the buyer.
    Shipped,
    /// With the buyer.
    Delivered,
    /// The payment is being voided, then the stock released.
    Cancelling,
    /// Given up; no money kept.
    Cancelled,
    /// The money is going back.
    Refunding,
    /// The money went back.
    Refunded,
}

/// A state that this version of the program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown order state {0:?}")]
pub struct UnknownState(pub String);

impl State {
    /// Every state.
    pub const ALL: [Self; 13] = [
        Self::Created,
        Self::Reserving,
        Self::Reserved,
        Self::Paying,
        Self::PaymentPending,
        Self::Confirming,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelling,
        Self::Cancelled,
        Self::Refunding,
        Self::Refunded,
    ];

    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Reserving => "RESERVING",
            Self::Reserved => "RESERVED",
            Self::Paying => "PAYING",
            Self::PaymentPending => "PAYMENT_PENDING",
            Self::Confirming => "CONFIRMING",
            Self::Paid => "PAID",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Refunding => "REFUNDING",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Whether the saga has nothing more to do by itself.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Paid | Self::Shipped | Self::Delivered | Self::Cancelled | Self::Refunded
        )
    }

    /// Whether the order may still be given up without having taken money.
    pub const fn is_before_payment(self) -> bool {
        matches!(
            self,
            Self::Created | Self::Reserving | Self::Reserved | Self::Paying | Self::PaymentPending
        )
    }

    /// What the public sees. A refund under way still shows what was before it, since "refunded" would say
    /// that the money is back.
    pub const fn public(self, cancel_reason: Option<CancelReason>) -> OrderStatus {
        match self {
            Self::Created | Self::Reserving | Self::Reserved | Self::Paying => OrderStatus::Pending,
            Self::PaymentPending | Self::Confirming => OrderStatus::AwaitingPayment,
            Self::Shipped => OrderStatus::Shipped,
            Self::Delivered => OrderStatus::Delivered,
            Self::Cancelling | Self::Cancelled => OrderStatus::Cancelled,
            Self::Refunding if cancel_reason.is_some() => OrderStatus::Cancelled,
            Self::Paid | Self::Refunding => OrderStatus::Paid,
            Self::Refunded => OrderStatus::Refunded,
        }
    }

    /// Whether a history row may lead from `self` to `to`: the edges of the order's graph, and its own state
    /// again for a step that is shown but changes nothing else.
    pub const fn may_become(self, to: Self) -> bool {
        use State as S;
        if self as u8 == to as u8 {
            return !self.is_final() && !matches!(self, S::Created | S::Reserved);
        }
        match self {
            S::Created => matches!(to, S::Reserving | S::Cancelling),
            S::Reserving => matches!(to, S::Reserved | S::Cancelling | S::Refunding),
            S::Reserved => matches!(to, S::Paying | S::Confirming | S::Cancelling),
            S::Paying => matches!(to, S::PaymentPending | S::Confirming | S::Cancelling),
            S::PaymentPending => matches!(to, S::Confirming | S::Cancelling),
            S::Confirming => matches!(to, S::Paid | S::Refunding),
            S::Paid => matches!(to, S::Shipped | S::Refunding),
            S::Shipped => matches!(to, S::Delivered | S::Refunding),
            S::Delivered | S::Cancelled => matches!(to, S::Refunding),
            S::Cancelling => matches!(to, S::Cancelled | S::Refunding),
            S::Refunding => matches!(to, S::Refunded),
            S::Refunded => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("LOST".parse::<State>(), Err(UnknownState("LOST".to_owned())));
    }

    #[test]
    fn the_public_sees_a_coarser_status() {
        let shown = |state: State| state.public(None);
        assert_eq!(shown(State::Paying), OrderStatus::Pending);
        assert_eq!(shown(State::Confirming), OrderStatus::AwaitingPayment);
        assert_eq!(shown(State::Refunding), OrderStatus::Paid);
        assert_eq!(
            State::Refunding.public(Some(CancelReason::Customer)),
            OrderStatus::Cancelled
        );
    }
}
