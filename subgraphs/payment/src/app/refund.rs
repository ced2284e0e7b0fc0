//! Gives money back. The reason is the key: whoever asks again with it gets the same refund.

use contracts::payment::{RefundView, StartRefund};
use contracts::{Money, OrderId, Problem, ProblemCode, RefundId};

use super::record_refund::Locked;
use super::{App, AppError, LEASE};
use crate::domain::{Payment, Refund, RefundStage, Stage, is_reason};
use crate::store;

impl App {
    /// Starts a refund, or answers where the one with this reason stands.
    pub async fn refund_payment(
        &self,
        order: OrderId,
        reason: &str,
        request: StartRefund,
    ) -> Result<RefundView, AppError> {
        if !is_reason(reason) {
            let detail = "a reason is 1 to 64 of a-z, 0-9 and _";
            return Err(Problem::new(ProblemCode::Invalid, detail).into());
        }
        let (payment, refund) = self.record_refund_wish(order, reason, request.amount).await?;
        if refund.stage != RefundStage::Pending {
            return Ok(refund.view(order));
        }
        let (app, wanted) = (self.clone(), refund.clone());
        match self
            .finish_in_time(async move { app.drive_refund(&payment, wanted).await })
            .await
        {
            Some(Ok(driven)) => Ok(driven.view(order)),
            Some(Err(error)) => {
                tracing::warn!(%error, %order, "refund recorded, but the provider's word is missing");
                Ok(refund.view(order))
            }
            None => Ok(refund.view(order)),
        }
    }

    async fn record_refund_wish(
        &self,
        order: OrderId,
        reason: &str,
        amount: Option<Money>,
    ) -> Result<(Payment, Refund), AppError> {
        let known = store::payment::find_by_order(&self.pools.requests, order).await?;
        let id = known
            .ok_or_else(|| Problem::new(ProblemCode::NotFound, "the order has no payment"))?
            .id;
        let (mut tx, locked) = self.lock_with_refunds(id).await?;
        if let Some(refund) = locked.find(|refund| refund.reason == reason) {
            if amount.is_some_and(|amount| amount != refund.amount) {
                let detail = "the reason was used for a refund of another amount";
                return Err(Problem::new(ProblemCode::BodyMismatch, detail).into());
            }
            return Ok((locked.payment, refund));
        }
        let refund = Refund {
            id: RefundId::generate(),
            payment_id: id,
            reason: reason.to_owned(),
            amount: refund_amount(&locked, amount)?,
            stage: RefundStage::Pending,
            psp_ref: None,
            created_at: self.clock.now(),
            checks: 0,
        };
        let mut payment = locked.payment;
        payment.stage = Stage::RefundPending;
        payment.version += 1;
        store::refund::insert(&mut tx, &refund, LEASE).await?;
        store::payment::save(&mut tx, &payment, None).await?;
        tx.commit().await?;
        Ok((payment, refund))
    }
}

/// What is to be refunded: what was asked for, if that much is left, or all that is left.
fn refund_amount(locked: &Locked, asked: Option<Money>) -> Result<Money, Problem> {
    let state = |detail: &str| Problem::new(ProblemCode::InvalidState, detail);
    let terms = locked
        .payment
        .terms
        .as_ref()
        .ok_or_else(|| state("the payment was voided"))?;
    if !locked.payment.stage.is_captured() {
        return Err(state("nothing was captured"));
    }
    let left = locked.payment.refundable_minor(locked.pending_minor(None));
    if left == 0 {
        return Err(state("everything was refunded"));
    }
    match asked {
        None => Ok(Money::new(left, terms.amount.currency)),
        Some(amount) if amount.currency != terms.amount.currency => Err(Problem::new(
            ProblemCode::Invalid,
            "the payment has another currency",
        )),
        Some(amount) if !(1..=left).contains(&amount.amount_minor) => Err(Problem::new(
            ProblemCode::Invalid,
            format!("the amount must be from 1 to {left}"),
        )),
        Some(amount) => Ok(amount),
    }
}
