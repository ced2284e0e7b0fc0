//! What other services and the clock tell the saga, in any order and any number of times.

use chrono::{DateTime, Utc};
use contracts::order::{CancelReason, OrderStep};

use super::{Action, Outcome, PaymentFact, Refund, RefundReason, Turn};
use crate::domain::State;

impl Turn {
    pub(super) fn payment_succeeded(&mut self, late: bool) {
        match self.saga.state {
            // Captured after it had failed, and told before that: payment sends it back on its own, so that it pays
            // for nothing.
            _ if late && !self.is_past_pivot() => self.failed_late(PaymentFact::Captured),
            // The money is in before the stock is known to be held: hold it first, `follow` goes on from there.
            State::Created | State::Reserving | State::Reserved => self.saga.payment = PaymentFact::Captured,
            State::Paying | State::PaymentPending => {
                self.end(Outcome::Done);
                self.saga.payment = PaymentFact::Captured;
                self.step(State::Confirming, OrderStep::PaymentCaptured);
            }
            State::Cancelling if self.saga.payment != PaymentFact::Refunded => {
                self.saga.payment = PaymentFact::Captured;
            }
            State::Cancelled => {
                self.saga.payment = PaymentFact::Captured;
                self.send_back(RefundReason::LatePayment, false);
            }
            State::Confirming | State::Paid | State::Shipped | State::Delivered if late => {
                self.alarm("payment sends back the money of an order that is not given up".to_owned());
            }
            _ => {}
        }
    }

    pub(super) fn payment_failed(&mut self) {
        match self.saga.state {
            _ if !self.is_past_pivot() => {
                if self.saga.pending == Some(Action::Pay) {
                    self.end(Outcome::Refused);
                }
                self.saga.payment = PaymentFact::Failed;
                self.show_if_at_rest(OrderStep::PaymentFailed);
                self.give_up(CancelReason::PaymentDeclined);
            }
            State::Cancelling | State::Cancelled => {}
            // It failed first and was captured then; only the news come the other way round.
            _ if self.is_late_money() => {}
            _ => self.alarm("payment failed after it was captured".to_owned()),
        }
    }

    /// The payment had failed before its money came: the order is given up, and `follow` waits for the money to be
    /// back.
    fn failed_late(&mut self, money: PaymentFact) {
        self.saga.payment = money;
        self.give_up(CancelReason::PaymentDeclined);
    }

    fn is_late_money(&self) -> bool {
        self.saga
            .refund
            .is_some_and(|refund| refund.reason == RefundReason::LatePayment)
    }

    /// `Created` and `Reserved` are never at rest, so nothing can be shown in them.
    fn show_if_at_rest(&mut self, step: OrderStep) {
        if !matches!(self.saga.state, State::Created | State::Reserved) {
            self.show(step);
        }
    }

    /// After the pivot the confirmation holds the stock again by itself, or says that it is gone.
    pub(super) fn reservation_expired(&mut self, at: DateTime<Utc>) {
        match self.saga.state {
            _ if !self.is_past_pivot() => self.give_up(CancelReason::PaymentTimeout),
            // An expiry from before the confirmation was answered by holding the stock again; it only comes late.
            State::Paid | State::Shipped | State::Delivered
                if self.saga.settled_at.is_some_and(|settled| at > settled) =>
            {
                self.alarm("the reservation of a paid order expired".to_owned());
            }
            _ => {}
        }
    }

    pub(super) fn deadline_reached(&mut self) {
        if !self.is_past_pivot() {
            self.give_up(CancelReason::PaymentTimeout);
        }
    }

    /// Payment refunds late money on its own, so that this may come before `payment.succeeded` does.
    pub(super) fn refund_completed(&mut self, late: bool, full: bool) {
        match self.saga.state {
            State::Refunding if full => {
                if self.saga.pending == Some(Action::Refund) {
                    self.end(Outcome::Done);
                }
                self.saga.payment = PaymentFact::Refunded;
            }
            State::Refunding | State::Refunded => {}
            State::Cancelling if late && full => self.saga.payment = PaymentFact::Refunded,
            State::Cancelled if late && full => {
                self.saga.payment = PaymentFact::Refunded;
                self.send_back(RefundReason::LatePayment, false);
                self.saga.refund = Some(Refund {
                    reason: RefundReason::LatePayment,
                    restock: false,
                    asked: true,
                });
            }
            _ if late && full && !self.is_past_pivot() => self.failed_late(PaymentFact::Refunded),
            _ => self.alarm("money went back for an order that is not being refunded".to_owned()),
        }
    }
}
