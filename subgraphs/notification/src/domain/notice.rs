//! Which event tells somebody something.

use chrono::{DateTime, Utc};
use contracts::notification::NotificationKind;
use contracts::order::{CancelReason, OrderCreated, OrderStatusChanged, OrderStep};
use contracts::payment::RefundCompleted;
use contracts::{Money, NotificationId, OrderId, UserId};

/// An event that was heard.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// An order was placed.
    Placed(&'a OrderCreated),
    /// An order moved a step.
    Moved(&'a OrderStatusChanged),
    /// Money went back.
    Refunded(&'a RefundCompleted),
}

/// What somebody is told, with what there is to say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The order is durable.
    OrderReceived {
        /// What is to be paid.
        total: Money,
    },
    /// It is paid.
    OrderPaid,
    /// It was given up.
    OrderCancelled {
        /// Why, if the event says so.
        reason: Option<CancelReason>,
    },
    /// It is on its way.
    OrderShipped,
    /// It is with the buyer.
    OrderDelivered,
    /// Money went back.
    RefundCompleted {
        /// How much.
        amount: Money,
    },
}

/// Parts that don't make anything to tell: an amount is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} needs an amount")]
pub struct NoAmount(pub NotificationKind);

impl Heard<'_> {
    /// The order it is about.
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Placed(event) => event.order_id,
            Self::Moved(event) => event.order_id,
            Self::Refunded(event) => event.order_id,
        }
    }

    /// The buyer, if the event names them. A refund does not.
    pub const fn buyer(&self) -> Option<UserId> {
        match self {
            Self::Placed(event) => Some(event.user_id),
            Self::Moved(event) => Some(event.user_id),
            Self::Refunded(_) => None,
        }
    }

    /// What the buyer is told of it; `None` for a step that is nobody's business but the shop's.
    pub const fn what(&self) -> Option<What> {
        match self {
            Self::Placed(event) => Some(What::OrderReceived { total: event.total }),
            Self::Moved(event) => match event.step {
                OrderStep::Paid => Some(What::OrderPaid),
                OrderStep::Cancelled => Some(What::OrderCancelled {
                    reason: event.cancel_reason,
                }),
                OrderStep::Shipped => Some(What::OrderShipped),
                OrderStep::Delivered => Some(What::OrderDelivered),
                // The first and the last of these are told by `order.created.v1`, and by `refund.completed.v1` with its
                // amount.
                OrderStep::Created
                | OrderStep::ReservingStock
                | OrderStep::StockReserved
                | OrderStep::StockRefused
                | OrderStep::StartingPayment
                | OrderStep::PaymentStarted
                | OrderStep::PaymentCaptured
                | OrderStep::PaymentFailed
                | OrderStep::StockConfirmed
                | OrderStep::Cancelling
                | OrderStep::PaymentVoided
                | OrderStep::StockReleased
                | OrderStep::Refunding
                | OrderStep::Refunded => None,
            },
            Self::Refunded(event) => Some(What::RefundCompleted { amount: event.amount }),
        }
    }
}

impl What {
    /// Its kind.
    pub const fn kind(&self) -> NotificationKind {
        match self {
            Self::OrderReceived { .. } => NotificationKind::OrderReceived,
            Self::OrderPaid => NotificationKind::OrderPaid,
            Self::OrderCancelled { .. } => NotificationKind::OrderCancelled,
            Self::OrderShipped => NotificationKind::OrderShipped,
            Self::OrderDelivered => NotificationKind::OrderDelivered,
            Self::RefundCompleted { .. } => NotificationKind::RefundCompleted,
        }
    }

    /// The amount it speaks of.
    pub const fn amount(&self) -> Option<Money> {
        match self {
            Self::OrderReceived { total: amount } | Self::RefundCompleted { amount } => Some(*amount),
            _ => None,
        }
    }

    /// Why the order was cancelled.
    pub const fn reason(&self) -> Option<CancelReason> {
        match self {
            Self::OrderCancelled { reason } => *reason,
            _ => None,
        }
    }

    /// The same from its parts, as stores and events keep them.
    pub fn try_from_parts(
        kind: NotificationKind,
        reason: Option<CancelReason>,
        amount: Option<Money>,
    ) -> Result<Self, NoAmount> {
        let needed = || amount.ok_or(NoAmount(kind));
        Ok(match kind {
            NotificationKind::OrderReceived => Self::OrderReceived { total: needed()? },
            NotificationKind::OrderPaid => Self::OrderPaid,
            NotificationKind::OrderCancelled => Self::OrderCancelled { reason },
            NotificationKind::OrderShipped => Self::OrderShipped,
            NotificationKind::OrderDelivered => Self::OrderDelivered,
            NotificationKind::RefundCompleted => Self::RefundCompleted { amount: needed()? },
        })
    }
}

/// Something a person was told in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification {
    /// Its id, ordered by time.
    pub id: NotificationId,
    /// Who is told.
    pub user: UserId,
    /// The order it is about.
    pub order: OrderId,
    /// What is told.
    pub what: What,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// When it was read, if it was.
    pub read_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::order::OrderStatus;
    use contracts::{Currency, PaymentId, RefundId};

    const TOTAL: Money = Money::new(1_999, Currency::EUR);

    fn moved(step: OrderStep, cancel_reason: Option<CancelReason>) -> OrderStatusChanged {
        OrderStatusChanged {
            order_id: OrderId::generate(),
            user_id: UserId::generate(),
            sequence: 5,
            step,
            status: OrderStatus::Pending,
            cancel_reason,
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_step_tells_what_the_table_says() {
        use OrderStep as Step;
        let late = Some(CancelReason::PaymentTimeout);
        for (step, reason, told) in [
            (Step::Created, None, None),
            (Step::ReservingStock, None, None),
            (Step::StockReserved, None, None),
            (Step::StockRefused, None, None),
            (Step::StartingPayment, None, None),
            (Step::PaymentStarted, None, None),
            (Step::PaymentCaptured, None, None),
            (Step::PaymentFailed, None, None),
            (Step::StockConfirmed, None, None),
            (Step::Paid, None, Some(What::OrderPaid)),
            // The reason is known before the order is given up; it is told once it is.
            (Step::Cancelling, late, None),
            (Step::PaymentVoided, late, None),
            (Step::StockReleased, late, None),
            (Step::Cancelled, late, Some(What::OrderCancelled { reason: late })),
            (Step::Cancelled, None, Some(What::OrderCancelled { reason: None })),
            (Step::Refunding, None, None),
            (Step::Refunded, None, None),
            (Step::Shipped, None, Some(What::OrderShipped)),
            (Step::Delivered, None, Some(What::OrderDelivered)),
        ] {
            let event = moved(step, reason);
            let heard = Heard::Moved(&event);
            assert_eq!(heard.what(), told, "{step:?}");
            assert_eq!(
                (heard.order(), heard.buyer()),
                (event.order_id, Some(event.user_id))
            );
        }
    }

    #[test]
    fn a_placed_order_and_a_refund_tell_their_amounts() {
        let placed = OrderCreated {
            order_id: OrderId::generate(),
            user_id: UserId::generate(),
            total: TOTAL,
            lines: Vec::new(),
            discount: None,
        };
        assert_eq!(
            Heard::Placed(&placed).what(),
            Some(What::OrderReceived { total: TOTAL })
        );
        for fully_refunded in [true, false] {
            let refunded = RefundCompleted {
                refund_id: RefundId::generate(),
                payment_id: PaymentId::generate(),
                order_id: placed.order_id,
                amount: TOTAL,
                reason: "late_payment".to_owned(),
                fully_refunded,
            };
            let heard = Heard::Refunded(&refunded);
            assert_eq!(heard.what(), Some(What::RefundCompleted { amount: TOTAL }));
            assert_eq!(heard.buyer(), None, "a refund names the order alone");
        }
    }

    #[test]
    fn everything_comes_back_from_its_parts() {
        for what in [
            What::OrderReceived { total: TOTAL },
            What::OrderPaid,
            What::OrderCancelled { reason: None },
            What::OrderCancelled {
                reason: Some(CancelReason::Customer),
            },
            What::OrderShipped,
            What::OrderDelivered,
            What::RefundCompleted { amount: TOTAL },
        ] {
            assert_eq!(
                What::try_from_parts(what.kind(), what.reason(), what.amount()),
                Ok(what)
            );
        }
        for kind in [NotificationKind::OrderReceived, NotificationKind::RefundCompleted] {
            assert_eq!(What::try_from_parts(kind, None, None), Err(NoAmount(kind)));
        }
    }
}
