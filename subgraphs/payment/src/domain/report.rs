//! What the provider says, whichever way it came, and whether it can be about the payment it is taken for.

use contracts::{Money, PaymentId, RefundId};

use super::{News, Payment, Refund, RefundNews};

/// The provider's word on a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's id of the payment.
    pub psp_ref: String,
    /// Our id, as the provider was told it.
    pub payment_id: Option<PaymentId>,
    /// Where it stands.
    pub news: News,
    /// What is to be paid, and was taken if it was captured.
    pub amount: Money,
    /// Why it was declined, if it was.
    pub decline_code: Option<String>,
}

/// The provider's word on a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReport {
    /// The provider's id of the refund.
    pub psp_ref: String,
    /// Our id, as the provider was told it.
    pub refund_id: Option<RefundId>,
    /// The provider's id of the payment.
    pub payment_ref: String,
    /// Where it stands.
    pub news: RefundNews,
    /// How much.
    pub amount: Money,
}

/// Why a report can't be about a payment. Raises an alarm and never pays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another amount or currency.
    #[error("amount {reported:?} instead of {expected:?}")]
    Amount {
        /// What the provider says.
        reported: Money,
        /// What was asked for.
        expected: Option<Money>,
    },
    /// Another payment's reference or id.
    #[error("it is about another payment")]
    Identity,
}

impl Report {
    /// Refuses what can't be about `payment`.
    pub fn check(&self, payment: &Payment) -> Result<(), Mismatch> {
        let other_ref = payment
            .psp_ref
            .as_ref()
            .is_some_and(|known| *known != self.psp_ref);
        if other_ref || self.payment_id.is_some_and(|id| id != payment.id) {
            return Err(Mismatch::Identity);
        }
        let expected = payment.terms.as_ref().map(|terms| terms.amount);
        if expected != Some(self.amount) {
            return Err(Mismatch::Amount {
                reported: self.amount,
                expected,
            });
        }
        Ok(())
    }
}

impl RefundReport {
    /// Refuses what can't be about `refund`.
    pub fn check(&self, refund: &Refund, payment: &Payment) -> Result<(), Mismatch> {
        let other_ref = refund
            .psp_ref
            .as_ref()
            .is_some_and(|known| *known != self.psp_ref);
        let other_payment = payment.psp_ref.as_ref() != Some(&self.payment_ref);
        if other_ref || other_payment || self.refund_id.is_some_and(|id| id != refund.id) {
            return Err(Mismatch::Identity);
        }
        if refund.amount != self.amount {
            return Err(Mismatch::Amount {
                reported: self.amount,
                expected: Some(refund.amount),
            });
        }
        Ok(())
    }
}
