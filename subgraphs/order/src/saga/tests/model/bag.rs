//! What is under way, as a set. Nothing relies on its order, and the same thing twice is a move that delivers without
//! taking out, so that the number of states stays finite whatever the number of faults.

use std::fmt;
use std::marker::PhantomData;

use super::super::{Action, Input, RefundReason, now};
use chrono::TimeDelta;

/// Something that can be in a bag.
pub(super) trait Item: Copy + fmt::Debug + 'static {
    const ALL: &'static [Self];

    fn index(self) -> u16;
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bag<T>(u16, PhantomData<T>);

impl<T: Item> Bag<T> {
    pub(super) const fn empty() -> Self {
        Self(0, PhantomData)
    }

    pub(super) fn put(&mut self, item: T) {
        self.0 |= 1 << item.index();
    }

    pub(super) fn take(&mut self, item: T) {
        self.0 &= !(1 << item.index());
    }

    pub(super) fn has(self, item: T) -> bool {
        self.0 & (1 << item.index()) != 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |item| self.has(*item))
    }
}

impl<T: Item> fmt::Debug for Bag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A call on the wire, with all of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Call {
    Reserve,
    Pay,
    Confirm,
    Void,
    Release,
    Restock,
    RefundLate,
    RefundGone,
    RefundAsked,
}

impl Item for Call {
    const ALL: &'static [Self] = &[
        Self::Reserve,
        Self::Pay,
        Self::Confirm,
        Self::Void,
        Self::Release,
        Self::Restock,
        Self::RefundLate,
        Self::RefundGone,
        Self::RefundAsked,
    ];

    fn index(self) -> u16 {
        self as u16
    }
}

impl Call {
    /// The call that the runner makes for an action.
    pub(super) fn of(action: Action, refund: Option<RefundReason>) -> Self {
        match (action, refund) {
            (Action::Reserve, _) => Self::Reserve,
            (Action::Pay, _) => Self::Pay,
            (Action::Confirm, _) => Self::Confirm,
            (Action::Void, _) => Self::Void,
            (Action::Release, _) => Self::Release,
            (Action::Restock, _) => Self::Restock,
            (Action::Refund, Some(RefundReason::LatePayment)) => Self::RefundLate,
            (Action::Refund, Some(RefundReason::StockGone)) => Self::RefundGone,
            (Action::Refund, Some(RefundReason::Operator) | None) => Self::RefundAsked,
        }
    }

    pub(super) const fn action(self) -> Action {
        match self {
            Self::Reserve => Action::Reserve,
            Self::Pay => Action::Pay,
            Self::Confirm => Action::Confirm,
            Self::Void => Action::Void,
            Self::Release => Action::Release,
            Self::Restock => Action::Restock,
            Self::RefundLate | Self::RefundGone | Self::RefundAsked => Action::Refund,
        }
    }
}

/// An event on its way to order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum News {
    Captured,
    CapturedLate,
    Declined,
    Refunded,
    RefundedLate,
    Expired,
}

impl Item for News {
    const ALL: &'static [Self] = &[
        Self::Captured,
        Self::CapturedLate,
        Self::Declined,
        Self::Refunded,
        Self::RefundedLate,
        Self::Expired,
    ];

    fn index(self) -> u16 {
        self as u16
    }
}

impl News {
    pub(super) const fn is_of_money(self) -> bool {
        matches!(self, Self::Captured | Self::CapturedLate)
    }

    pub(super) fn input(self) -> Input {
        match self {
            Self::Captured => Input::PaymentSucceeded { late: false },
            Self::CapturedLate => Input::PaymentSucceeded { late: true },
            Self::Declined => Input::PaymentFailed,
            Self::Refunded | Self::RefundedLate => Input::RefundCompleted {
                late: self == Self::RefundedLate,
                full: true,
            },
            // A hold ends before whatever came of it.
            Self::Expired => Input::ReservationExpired {
                at: now() - TimeDelta::seconds(1),
            },
        }
    }
}
