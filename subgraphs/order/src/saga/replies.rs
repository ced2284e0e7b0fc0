//! Answers to the saga's own calls, and the lack of them.

use contracts::order::{CancelReason, OrderStep};

use super::{
    ATTENTION_AFTER, Action, ActionKind, Attention, Due, InvalidInput, Outcome, PaymentFact, RefundReason,
    Reply, StockFact, Turn,
};
use crate::domain::State;

impl Turn {
    pub(super) fn replied(&mut self, reply: Reply) -> Result<(), InvalidInput> {
        if self.saga.pending != Some(reply.answers()) {
            return Err(InvalidInput::Stale);
        }
        let only_attempt = self.saga.attempt == 1;
        self.heard();
        match reply.answers() {
            Action::Reserve => self.reserve_answered(reply, only_attempt),
            Action::Pay => self.pay_answered(reply),
            Action::Confirm => self.confirm_answered(reply),
            Action::Void => self.void_answered(reply),
            Action::Release => self.release_answered(reply),
            Action::Refund => self.refund_answered(reply),
            Action::Restock => {
                self.end(Outcome::Done);
                self.saga.stock = StockFact::Released;
                self.show(OrderStep::StockReleased);
            }
        }
        Ok(())
    }

    /// No answer is not a refusal: the same call again, with the same key. Before the pivot only until the
    /// deadline, afterwards and for compensations for as long as it takes.
    pub(super) fn no_answer(&mut self, action: Action, reason: String) -> Result<(), InvalidInput> {
        if self.saga.pending != Some(action) {
            return Err(InvalidInput::Stale);
        }
        self.saga.last_error = Some(reason);
        let may_stop = action.kind() == ActionKind::Forward && !self.is_past_pivot();
        if may_stop && self.now >= self.saga.deadline_at {
            self.give_up(CancelReason::PaymentTimeout);
            return Ok(());
        }
        self.saga.due = Due::Backoff;
        if self.saga.attempt >= ATTENTION_AFTER && self.saga.attention.is_none() {
            self.saga.attention = Some(Attention::Retries);
        }
        Ok(())
    }

    /// Whether the money is in, so that the order only goes forward or back with a refund.
    pub(super) fn is_past_pivot(&self) -> bool {
        !self.saga.state.is_before_payment() || self.saga.payment == PaymentFact::Captured
    }

    /// A refusal is certain only if no other try of the same call can still be under way; else whatever that
    /// one may set aside has to be released.
    fn reserve_answered(&mut self, reply: Reply, only_attempt: bool) {
        if reply == Reply::Held {
            self.end(Outcome::Done);
            self.saga.stock = StockFact::Held;
            self.step(State::Reserved, OrderStep::StockReserved);
            return;
        }
        self.end(Outcome::Refused);
        if only_attempt {
            self.saga.stock = StockFact::Refused;
        }
        self.show(OrderStep::StockRefused);
        if self.saga.payment == PaymentFact::Captured {
            self.saga.cancel_reason = Some(CancelReason::OutOfStock);
            self.send_back(RefundReason::StockGone, false);
        } else {
            self.give_up(CancelReason::OutOfStock);
        }
    }

    fn pay_answered(&mut self, reply: Reply) {
        if reply == Reply::PaymentStarted {
            self.end(Outcome::Done);
            self.step(State::PaymentPending, OrderStep::PaymentStarted);
            return;
        }
        self.end(Outcome::Refused);
        if reply == Reply::Declined {
            self.saga.payment = PaymentFact::Failed;
        }
        self.show(OrderStep::PaymentFailed);
        self.give_up(CancelReason::PaymentDeclined);
    }

    fn confirm_answered(&mut self, reply: Reply) {
        if reply == Reply::Confirmed {
            self.end(Outcome::Done);
            self.saga.stock = StockFact::Confirmed;
            self.show(OrderStep::StockConfirmed);
            self.step(State::Paid, OrderStep::Paid);
            return;
        }
        self.end(Outcome::Refused);
        // A try of this call, or of the reservation, may still be on its way and find the unit back on the shelf.
        self.saga.stock = StockFact::Asked;
        self.saga.cancel_reason = Some(CancelReason::OutOfStock);
        self.show(OrderStep::StockRefused);
        self.send_back(RefundReason::StockGone, false);
    }

    fn void_answered(&mut self, reply: Reply) {
        let knows_money = matches!(self.saga.payment, PaymentFact::Captured | PaymentFact::Refunded);
        if reply == Reply::Voided {
            self.end(Outcome::Done);
            if !knows_money {
                self.saga.payment = PaymentFact::Voided;
            }
            self.show(OrderStep::PaymentVoided);
            return;
        }
        self.end(Outcome::Refused);
        if !knows_money {
            self.saga.payment = PaymentFact::Captured;
        }
    }

    fn release_answered(&mut self, reply: Reply) {
        if reply == Reply::Released {
            self.end(Outcome::Done);
            self.saga.stock = StockFact::Released;
            self.show(OrderStep::StockReleased);
        } else if self.saga.state == State::Refunding {
            // A confirmation that was on its way when the refund was decided: put the sold units back instead.
            self.end(Outcome::Refused);
            self.saga.stock = StockFact::Confirmed;
            if let Some(refund) = &mut self.saga.refund {
                refund.restock = true;
            }
        } else {
            self.saga.due = Due::Backoff;
            self.alarm("inventory has sold the units of an order that is being cancelled".to_owned());
        }
    }

    fn refund_answered(&mut self, reply: Reply) {
        match reply {
            Reply::RefundSucceeded => {
                self.end(Outcome::Done);
                self.saga.payment = PaymentFact::Refunded;
            }
            Reply::RefundPending => {
                if let Some(refund) = &mut self.saga.refund {
                    refund.asked = true;
                }
                self.saga.attempt = 1;
                self.saga.due = Due::Recheck;
            }
            _ => {
                self.saga.due = Due::Recheck;
                self.alarm("the provider refuses the refund".to_owned());
            }
        }
    }
}
