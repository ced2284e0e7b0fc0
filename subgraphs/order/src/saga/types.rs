//! What goes into the saga and what comes out.

use chrono::{DateTime, Utc};
use contracts::order::{CancelReason, OrderStatus, OrderStep};

use crate::domain::State;

/// A call to another service. Its idempotency key is the order's id and, for a refund, the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Set the stock aside.
    Reserve,
    /// Start the payment.
    Pay,
    /// Turn the held units into sold ones.
    Confirm,
    /// Void the payment: undoes `Pay`.
    Void,
    /// Release the stock: undoes `Reserve`.
    Release,
    /// Send the money back: undoes a captured payment.
    Refund,
    /// Put sold units back on the shelf: undoes `Confirm`.
    Restock,
}

/// Whether a call does or undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Carries the order on.
    Forward,
    /// Takes back what was done.
    Compensation,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::Reserve,
        Self::Pay,
        Self::Confirm,
        Self::Void,
        Self::Release,
        Self::Refund,
        Self::Restock,
    ];

    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Pay => "pay",
            Self::Confirm => "confirm",
            Self::Void => "void",
            Self::Release => "release",
            Self::Refund => "refund",
            Self::Restock => "restock",
        }
    }

    /// Whether it does or undoes.
    pub const fn kind(self) -> ActionKind {
        match self {
            Self::Reserve | Self::Pay | Self::Confirm => ActionKind::Forward,
            Self::Void | Self::Release | Self::Refund | Self::Restock => ActionKind::Compensation,
        }
    }
}

/// What is known of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentFact {
    /// Never asked for.
    NotStarted,
    /// Asked for; not decided.
    Started,
    /// Declined for good.
    Failed,
    /// Voided before capture.
    Voided,
    /// The money is ours.
    Captured,
    /// The money went back.
    Refunded,
}

/// What is known of the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StockFact {
    /// Never asked for.
    NotAsked,
    /// Asked for; it may or may not be held.
    Asked,
    /// Set aside.
    Held,
    /// Refused for good.
    Refused,
    /// Sold.
    Confirmed,
    /// Given back.
    Released,
}

impl StockFact {
    /// Whether units are or may be set aside.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Asked | Self::Held)
    }
}

/// A refund that was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// Why; also its idempotency key.
    pub reason: RefundReason,
    /// Whether sold units go back on the shelf.
    pub restock: bool,
    /// Whether payment has accepted it.
    pub asked: bool,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundReason {
    /// It came after the order was given up.
    LatePayment,
    /// The stock could neither be confirmed nor held again.
    StockGone,
    /// An operator decided it.
    Operator,
}

/// Why a person should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attention {
    /// A service hasn't answered for long.
    Retries,
    /// Facts that should be impossible together.
    Contradiction,
}

/// When the awaited call is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// There is none.
    Never,
    /// At once, by whoever saves the saga.
    Now,
    /// After a pause that grows with the attempts.
    Backoff,
    /// It was accepted; ask again in a minute in case the event that ends it gets lost.
    Recheck,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The order is being created.
    Begin,
    /// The awaited call was answered.
    Replied(Reply),
    /// The awaited call was not answered; it may or may not have worked.
    NoAnswer {
        /// The call.
        action: Action,
        /// What was seen instead of an answer.
        reason: String,
    },
    /// Payment says that the money was captured, `late` if after a void.
    PaymentSucceeded {
        /// Whether it was captured after payment had recorded a void.
        late: bool,
    },
    /// Payment says that the provider declined.
    PaymentFailed,
    /// Payment speaks of another amount than the order's.
    PaymentContradicts {
        /// For operators.
        reason: String,
    },
    /// Inventory says that the hold ended by itself.
    ReservationExpired {
        /// When it did.
        at: DateTime<Utc>,
    },
    /// Payment says that a refund is through.
    RefundCompleted {
        /// Whether it was the one of money that came too late.
        late: bool,
        /// Whether nothing captured is left.
        full: bool,
    },
    /// The time to pay is over.
    DeadlineReached,
    /// The buyer or an operator wants to give it up.
    Cancel {
        /// `Customer` or `Operator`.
        by: CancelReason,
    },
    /// An operator wants the money to go back.
    RefundAsked {
        /// Whether the units go back on the shelf.
        restock: bool,
    },
    /// It was handed to a carrier.
    Ship,
    /// It has arrived.
    Deliver,
    /// An operator wants the awaited call to be made now.
    Retry,
}

impl Input {
    /// Its name in the history's `cause`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Begin => "checkout",
            Self::Replied(reply) => reply.name(),
            Self::NoAnswer { .. } => "no_answer",
            Self::PaymentSucceeded { .. } => "payment.succeeded",
            Self::PaymentFailed => "payment.failed",
            Self::PaymentContradicts { .. } => "payment.contradicts",
            Self::ReservationExpired { .. } => "reservation.expired",
            Self::RefundCompleted { .. } => "refund.completed",
            Self::DeadlineReached => "deadline",
            Self::Cancel {
                by: CancelReason::Customer,
            } => "cancelled_by_customer",
            Self::Cancel { .. } => "cancelled_by_operator",
            Self::RefundAsked { .. } => "refunded_by_operator",
            Self::Ship => "shipped",
            Self::Deliver => "delivered",
            Self::Retry => "retried_by_operator",
        }
    }
}

/// A definite answer of another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// The stock is set aside.
    Held,
    /// It is not and will not be.
    StockRefused,
    /// The provider has the payment.
    PaymentStarted,
    /// The provider declined.
    Declined,
    /// Payment refuses to start it, for another reason than the provider's.
    PaymentRefused,
    /// The units are sold.
    Confirmed,
    /// They can't be, and can't be held again.
    StockGone,
    /// No money is or will be kept.
    Voided,
    /// The money was captured before the void.
    AlreadyCaptured,
    /// The stock went back.
    Released,
    /// It can't: the units are sold.
    AlreadyConfirmed,
    /// The refund is on its way.
    RefundPending,
    /// The refund is through.
    RefundSucceeded,
    /// The provider refuses the refund.
    RefundFailed,
    /// The units are back on the shelf.
    Restocked,
}

impl Reply {
    /// Every reply.
    pub const ALL: [Self; 15] = [
        Self::Held,
        Self::StockRefused,
        Self::PaymentStarted,
        Self::Declined,
        Self::PaymentRefused,
        Self::Confirmed,
        Self::StockGone,
        Self::Voided,
        Self::AlreadyCaptured,
        Self::Released,
        Self::AlreadyConfirmed,
        Self::RefundPending,
        Self::RefundSucceeded,
        Self::RefundFailed,
        Self::Restocked,
    ];

    /// The call it answers.
    pub const fn answers(self) -> Action {
        match self {
            Self::Held | Self::StockRefused => Action::Reserve,
            Self::PaymentStarted | Self::Declined | Self::PaymentRefused => Action::Pay,
            Self::Confirmed | Self::StockGone => Action::Confirm,
            Self::Voided | Self::AlreadyCaptured => Action::Void,
            Self::Released | Self::AlreadyConfirmed => Action::Release,
            Self::RefundPending | Self::RefundSucceeded | Self::RefundFailed => Action::Refund,
            Self::Restocked => Action::Restock,
        }
    }

    /// Its name in the history's `cause` and the step log's `response`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "stock_held",
            Self::StockRefused => "stock_refused",
            Self::PaymentStarted => "payment_started",
            Self::Declined => "payment_declined",
            Self::PaymentRefused => "payment_refused",
            Self::Confirmed => "stock_confirmed",
            Self::StockGone => "stock_gone",
            Self::Voided => "payment_voided",
            Self::AlreadyCaptured => "payment_already_captured",
            Self::Released => "stock_released",
            Self::AlreadyConfirmed => "stock_already_confirmed",
            Self::RefundPending => "refund_pending",
            Self::RefundSucceeded => "refund_succeeded",
            Self::RefundFailed => "refund_failed",
            Self::Restocked => "restocked",
        }
    }
}

/// What is to be done about an input. `Record`, `End` and `Start` are written in the transaction that saves the
/// saga; the call of `Start` is made after it, outside any transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write a history row and publish it.
    Record(Transition),
    /// End a call in the step log.
    End {
        /// The call.
        action: Action,
        /// How it ended.
        outcome: Outcome,
    },
    /// Write a call as STARTED and make it.
    Start(Action),
    /// Tell the operators.
    Alarm {
        /// What they should know.
        reason: String,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what it should.
    Done,
    /// It was refused for good.
    Refused,
    /// It doesn't matter any more; its compensation covers either outcome.
    Superseded,
}

/// One step of an order's history: exactly one per version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The order's version after it.
    pub sequence: i64,
    /// Where the order was; none for its first step.
    pub from: Option<State>,
    /// Where it is now.
    pub to: State,
    /// What happened.
    pub step: OrderStep,
    /// What the public sees now.
    pub status: OrderStatus,
    /// Why it is given up, if it is.
    pub cancel_reason: Option<CancelReason>,
    /// The input's name.
    pub cause: &'static str,
    /// When.
    pub at: DateTime<Utc>,
}

/// An input that doesn't fit the state. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInput {
    /// The order exists already.
    #[error("the order has begun already")]
    AlreadyBegun,
    /// The answer is to a call that nobody awaits any more.
    #[error("nobody awaits this answer")]
    Stale,
    /// The money is captured: it can only be refunded.
    #[error("it is too late to cancel")]
    TooLate,
    /// The order is not in a state that allows it.
    #[error("the order's state does not allow it")]
    WrongState,
}
