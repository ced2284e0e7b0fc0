//! The saga as it is stored, less what has no influence on what it does next: times, texts, the count of its history.

use contracts::OrderId;

use super::bag::Call;
use super::{
    Action, Attention, Due, PaymentFact, Refund, RefundReason, Saga, State, StockFact, TimeDelta, now,
};

/// Any number beyond the first step: how long a history is matters to nobody.
const SOME_STEPS: i64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) state: State,
    pub(super) payment: PaymentFact,
    pub(super) stock: StockFact,
    /// Reason, restock, asked.
    pub(super) refund: Option<(RefundReason, bool, bool)>,
    pub(super) pending: Option<Action>,
    pub(super) attempt: u32,
    pub(super) leased: bool,
    pub(super) attention: Option<Attention>,
}

impl Row {
    pub(super) fn save(saga: &Saga, attempts: u32) -> Self {
        Self {
            state: saga.state,
            payment: saga.payment,
            stock: saga.stock,
            refund: saga
                .refund
                .map(|refund| (refund.reason, refund.restock, refund.asked)),
            pending: saga.pending,
            attempt: saga.attempt.min(attempts),
            leased: saga.due == Due::Now,
            attention: saga.attention,
        }
    }

    pub(super) fn load(&self) -> Saga {
        Saga {
            order_id: OrderId::from_uuid(uuid::Uuid::nil()),
            state: self.state,
            sequence: SOME_STEPS,
            payment: self.payment,
            stock: self.stock,
            cancel_reason: None,
            refund: self.refund.map(|(reason, restock, asked)| Refund {
                reason,
                restock,
                asked,
            }),
            pending: self.pending,
            attempt: self.attempt,
            due: match self.pending {
                None => Due::Never,
                Some(_) if self.leased => Due::Now,
                Some(_) => Due::Backoff,
            },
            deadline_at: now() + TimeDelta::seconds(600),
            settled_at: self.state.is_final().then(now),
            attention: self.attention,
            last_error: None,
        }
    }

    /// The call it waits for.
    pub(super) fn call(&self) -> Option<Call> {
        let reason = self.refund.map(|(reason, ..)| reason);
        self.pending.map(|action| Call::of(action, reason))
    }

    /// Somebody takes it up: another try.
    pub(super) fn claim(&mut self, attempts: u32) {
        self.attempt = (self.attempt + 1).min(attempts);
        self.leased = true;
    }
}
