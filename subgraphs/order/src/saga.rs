//! The order saga: which input leads from which state to which, and what has to be done about it.
//!
//! Pure: no I/O, no clock, no async, no randomness. `app::run_saga` is its only runner. The pivot is the captured
//! payment: before it everything can be undone (void the payment, **then** release the stock), after it the
//! order goes forward, and only if the stock can neither be confirmed nor held again the money goes back.

mod commands;
mod events;
mod replies;
#[cfg(test)]
mod tests;
mod types;

use chrono::{DateTime, Utc};
use contracts::OrderId;
use contracts::order::{CancelReason, OrderStep};

pub use types::{
    Action, ActionKind, Attention, Due, Effect, Input, InvalidInput, Outcome, PaymentFact, Refund,
    RefundReason, Reply, StockFact, Transition,
};

use crate::domain::State;

/// Unanswered calls in a row after which a person should look; the worker goes on regardless.
pub const ATTENTION_AFTER: u32 = 8;

/// All the saga knows of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saga {
    /// The order.
    pub order_id: OrderId,
    /// Where it is.
    pub state: State,
    /// The order's version: how many steps its history has.
    pub sequence: i64,
    /// What is known of the payment.
    pub payment: PaymentFact,
    /// What is known of the stock.
    pub stock: StockFact,
    /// Why it is given up, if it is.
    pub cancel_reason: Option<CancelReason>,
    /// The refund that was decided on, if one was.
    pub refund: Option<Refund>,
    /// The call whose answer is awaited.
    pub pending: Option<Action>,
    /// How many times that call was started.
    pub attempt: u32,
    /// When it is to be made.
    pub due: Due,
    /// When an unpaid order is given up.
    pub deadline_at: DateTime<Utc>,
    /// When it came to rest, while it is at rest.
    pub settled_at: Option<DateTime<Utc>>,
    /// Why a person should look, if one should.
    pub attention: Option<Attention>,
    /// What went wrong last, for operators.
    pub last_error: Option<String>,
}

impl Saga {
    /// The saga of an order about to be created; its first input is [`Input::Begin`].
    pub const fn new(order_id: OrderId, deadline_at: DateTime<Utc>) -> Self {
        Self {
            order_id,
            state: State::Created,
            sequence: 0,
            payment: PaymentFact::NotStarted,
            stock: StockFact::NotAsked,
            cancel_reason: None,
            refund: None,
            pending: None,
            attempt: 0,
            due: Due::Never,
            deadline_at,
            settled_at: None,
            attention: None,
            last_error: None,
        }
    }
}

/// Takes one input. An input that doesn't fit is an error and changes nothing; one that has no consequence
/// gives the same saga and no effects.
pub fn advance(saga: Saga, input: Input, now: DateTime<Utc>) -> Result<(Saga, Vec<Effect>), InvalidInput> {
    let mut turn = Turn {
        before: saga.clone(),
        saga,
        effects: Vec::new(),
        cause: input.name(),
        now,
    };
    match input {
        Input::Begin => turn.begin()?,
        Input::Replied(reply) => turn.replied(reply)?,
        Input::NoAnswer { action, reason } => turn.no_answer(action, reason)?,
        Input::PaymentSucceeded { late } => turn.payment_succeeded(late),
        Input::PaymentFailed => turn.payment_failed(),
        Input::PaymentContradicts { reason } => turn.alarm(reason),
        Input::ReservationExpired { at } => turn.reservation_expired(at),
        Input::RefundCompleted { late, full } => turn.refund_completed(late, full),
        Input::DeadlineReached => turn.deadline_reached(),
        Input::Cancel { by } => turn.cancel_asked(by)?,
        Input::RefundAsked { restock } => turn.refund_asked(restock)?,
        Input::Ship => turn.ship()?,
        Input::Deliver => turn.deliver()?,
        Input::Retry => turn.retry()?,
    }
    turn.settle();
    Ok((turn.saga, turn.effects))
}

/// Begins a new saga: the first input, which always fits.
pub fn begin(saga: Saga, now: DateTime<Utc>) -> (Saga, Vec<Effect>) {
    let untouched = saga.clone();
    advance(saga, Input::Begin, now).unwrap_or((untouched, Vec::new()))
}

/// One input being worked on.
struct Turn {
    before: Saga,
    saga: Saga,
    effects: Vec<Effect>,
    cause: &'static str,
    now: DateTime<Utc>,
}

impl Turn {
    fn begin(&mut self) -> Result<(), InvalidInput> {
        if self.saga.sequence > 0 {
            return Err(InvalidInput::AlreadyBegun);
        }
        self.record(None, OrderStep::Created);
        self.step(State::Reserving, OrderStep::ReservingStock);
        self.saga.stock = StockFact::Asked;
        Ok(())
    }

    /// Moves to `to`, as one step of the history.
    fn step(&mut self, to: State, step: OrderStep) {
        let from = self.saga.state;
        debug_assert!(from.may_become(to), "{from} may not become {to}");
        self.saga.state = to;
        self.saga.settled_at = to.is_final().then_some(self.now);
        self.record(Some(from), step);
    }

    /// Shows a step that leaves the state as it is.
    fn show(&mut self, step: OrderStep) {
        self.step(self.saga.state, step);
    }

    fn record(&mut self, from: Option<State>, step: OrderStep) {
        self.saga.sequence += 1;
        self.effects.push(Effect::Record(Transition {
            sequence: self.saga.sequence,
            from,
            to: self.saga.state,
            step,
            status: self.saga.state.public(self.saga.cancel_reason),
            cancel_reason: self.saga.cancel_reason,
            cause: self.cause,
            at: self.now,
        }));
    }

    /// Ends the awaited call in the step log.
    fn end(&mut self, outcome: Outcome) {
        if let Some(action) = self.saga.pending.take() {
            self.effects.push(Effect::End { action, outcome });
        }
        self.saga.attempt = 0;
        self.saga.due = Due::Never;
        self.heard();
    }

    /// Whoever did not answer has answered, or need not any more.
    fn heard(&mut self) {
        if self.saga.attention != Some(Attention::Contradiction) {
            self.saga.attention = None;
            self.saga.last_error = None;
        }
    }

    /// Gives the order up before any money was taken.
    fn give_up(&mut self, reason: CancelReason) {
        self.saga.cancel_reason = Some(reason);
        self.step(State::Cancelling, OrderStep::Cancelling);
    }

    /// Sends the money back.
    fn send_back(&mut self, reason: RefundReason, restock: bool) {
        self.saga.refund = Some(Refund {
            reason,
            restock,
            asked: false,
        });
        self.step(State::Refunding, OrderStep::Refunding);
    }

    /// Calls for a person: facts that should be impossible together.
    fn alarm(&mut self, reason: String) {
        self.saga.attention = Some(Attention::Contradiction);
        self.saga.last_error = Some(reason.clone());
        self.effects.push(Effect::Alarm { reason });
    }

    /// Follows the facts as far as they lead, then makes the awaited call the one they ask for.
    fn settle(&mut self) {
        while self.follow() {}
        let wanted = self.wanted();
        if wanted == self.saga.pending {
            self.restart_if_interrupted();
            return;
        }
        let asked = self.saga.refund.is_some_and(|refund| refund.asked);
        let accepted = asked && self.saga.pending == Some(Action::Refund);
        self.end(if accepted {
            Outcome::Done
        } else {
            Outcome::Superseded
        });
        if let Some(action) = wanted {
            self.saga.pending = Some(action);
            let recheck = asked && action == Action::Refund;
            self.start(if recheck { Due::Recheck } else { Due::Now });
        }
    }

    fn start(&mut self, due: Due) {
        self.saga.due = due;
        if let (Due::Now, Some(action)) = (due, self.saga.pending) {
            self.saga.attempt = self.saga.attempt.saturating_add(1);
            self.effects.push(Effect::Start(action));
        }
    }

    /// Something was learned while a call was out: whoever made it can't save its answer any more, so the
    /// call, which bears the same key, is made again.
    fn restart_if_interrupted(&mut self) {
        let started = self
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Start(_)));
        if self.saga.due == Due::Now && !started && self.saga != self.before {
            self.start(Due::Now);
        }
    }

    fn follow(&mut self) -> bool {
        let stock_is_back = !self.saga.stock.is_held();
        let money_is_in = matches!(self.saga.payment, PaymentFact::Captured | PaymentFact::Refunded);
        match self.saga.state {
            State::Reserved if money_is_in => self.step(State::Confirming, OrderStep::PaymentCaptured),
            State::Reserved => {
                self.saga.payment = PaymentFact::Started;
                self.step(State::Paying, OrderStep::StartingPayment);
            }
            State::Cancelling if self.saga.pending == Some(Action::Void) => return false,
            State::Cancelling if money_is_in => self.send_back(RefundReason::LatePayment, false),
            State::Cancelling if stock_is_back && self.saga.payment != PaymentFact::Started => {
                self.step(State::Cancelled, OrderStep::Cancelled);
            }
            State::Refunding
                if self.saga.payment == PaymentFact::Refunded && self.stock_action().is_none() =>
            {
                self.step(State::Refunded, OrderStep::Refunded);
            }
            _ => return false,
        }
        true
    }

    /// The call that the facts ask for.
    fn wanted(&self) -> Option<Action> {
        match self.saga.state {
            State::Created | State::Reserving => Some(Action::Reserve),
            State::Paying => Some(Action::Pay),
            State::Confirming => Some(Action::Confirm),
            State::Cancelling if self.saga.pending == Some(Action::Void) => Some(Action::Void),
            State::Cancelling if self.saga.payment == PaymentFact::Started => Some(Action::Void),
            State::Cancelling => self.stock_action(),
            State::Refunding => {
                let refund = (self.saga.payment != PaymentFact::Refunded).then_some(Action::Refund);
                let asked = self.saga.refund.is_some_and(|refund| refund.asked);
                if asked {
                    self.stock_action().or(refund)
                } else {
                    refund.or(self.stock_action())
                }
            }
            _ => None,
        }
    }

    /// What is left to do about the stock of an order that will not be fulfilled.
    fn stock_action(&self) -> Option<Action> {
        let restock = self.saga.refund.is_some_and(|refund| refund.restock);
        match self.saga.stock {
            StockFact::Asked | StockFact::Held => Some(Action::Release),
            StockFact::Confirmed if restock => Some(Action::Restock),
            _ => None,
        }
    }
}
