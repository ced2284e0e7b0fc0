//! Records what the provider says of a refund: both rows, ledger and event together.

use contracts::payment::RefundCompleted;
use contracts::{Event, EventId, PaymentId, RefundId};
use sqlx::{PgConnection, Postgres, Transaction};

use super::{Alarm, App, AppError};
use crate::domain::{Payment, Refund, RefundChange, RefundNews, RefundReport, RefundStage};
use crate::store;

/// A locked payment, all its refunds, and which of them is meant.
pub(super) struct Locked {
    pub(super) payment: Payment,
    pub(super) refunds: Vec<Refund>,
}

impl Locked {
    /// What is on its way back, without `but`.
    pub(super) fn pending_minor(&self, but: Option<RefundId>) -> i64 {
        let pending = self
            .refunds
            .iter()
            .filter(|r| r.stage == RefundStage::Pending && Some(r.id) != but);
        pending.map(|refund| refund.amount.amount_minor).sum()
    }

    pub(super) fn find(&self, wanted: impl Fn(&Refund) -> bool) -> Option<Refund> {
        self.refunds.iter().find(|refund| wanted(refund)).cloned()
    }
}

impl App {
    /// Records a report under the payment's lock.
    pub(super) async fn record_refund(
        &self,
        payment: PaymentId,
        refund: RefundId,
        report: &RefundReport,
    ) -> Result<Refund, AppError> {
        let (mut tx, locked) = self.lock_with_refunds(payment).await?;
        let refund = locked
            .find(|known| known.id == refund)
            .ok_or(sqlx::Error::RowNotFound)?;
        let (refund, _) = self.hear_refund_in_tx(&mut tx, locked, refund, report).await?;
        tx.commit().await?;
        self.relay.wake();
        Ok(refund)
    }

    /// Records that the provider refused to refund: a person must see to it.
    pub(super) async fn record_refund_refusal(
        &self,
        payment: PaymentId,
        refund: RefundId,
        failure: &str,
    ) -> Result<Refund, AppError> {
        let (mut tx, locked) = self.lock_with_refunds(payment).await?;
        let mut refund = locked
            .find(|known| known.id == refund)
            .ok_or(sqlx::Error::RowNotFound)?;
        if refund.stage == RefundStage::Pending && refund.psp_ref.is_none() {
            self.fail_refund(&mut tx, locked, &mut refund, failure).await?;
        }
        tx.commit().await?;
        Ok(refund)
    }

    pub(super) async fn lock_with_refunds(
        &self,
        id: PaymentId,
    ) -> Result<(Transaction<'static, Postgres>, Locked), sqlx::Error> {
        let mut tx = self.pools.requests.begin().await?;
        let payment = store::payment::lock(&mut tx, id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let refunds = store::refund::of_payment(&mut tx, id).await?;
        Ok((tx, Locked { payment, refunds }))
    }

    /// Applies a report to a refund of a locked payment; also says what became of it.
    pub(super) async fn hear_refund_in_tx(
        &self,
        tx: &mut PgConnection,
        locked: Locked,
        mut refund: Refund,
        report: &RefundReport,
    ) -> Result<(Refund, &'static str), sqlx::Error> {
        if let Err(mismatch) = report.check(&refund, &locked.payment) {
            Alarm::Mismatch.raise(refund.id, mismatch);
            return Ok((refund, Alarm::Mismatch.as_str()));
        }
        refund.psp_ref.get_or_insert_with(|| report.psp_ref.clone());
        let outcome = match refund.stage.hear(report.news) {
            RefundChange::Complete => {
                self.complete_refund(tx, locked, &mut refund).await?;
                "refunded"
            }
            RefundChange::Fail => {
                self.fail_refund(tx, locked, &mut refund, "the provider could not refund")
                    .await?;
                Alarm::RefundFailed.as_str()
            }
            RefundChange::None => {
                if report.news == RefundNews::Pending && refund.stage == RefundStage::Pending {
                    store::refund::save(tx, &refund, None, None, Some(refund.recheck_after())).await?;
                }
                "nothing_new"
            }
            RefundChange::Contradiction => {
                Alarm::Contradiction.raise(
                    refund.id,
                    format!("{:?} was told {:?}", refund.stage, report.news),
                );
                Alarm::Contradiction.as_str()
            }
        };
        Ok((refund, outcome))
    }

    async fn complete_refund(
        &self,
        tx: &mut PgConnection,
        locked: Locked,
        refund: &mut Refund,
    ) -> Result<(), sqlx::Error> {
        let context = self.context(&locked.payment);
        let pending_minor = locked.pending_minor(Some(refund.id));
        let mut payment = locked.payment;
        refund.stage = RefundStage::Succeeded;
        payment.refunded_minor += refund.amount.amount_minor;
        payment.stage = payment.stage_after_refund(pending_minor);
        payment.version += 1;
        store::refund::save(tx, refund, None, Some(context.time), None).await?;
        store::payment::save(tx, &payment, None).await?;
        store::ledger::book_refund(tx, refund.id, payment.id, refund.amount, context.time).await?;
        let captured_minor = payment.terms.as_ref().map(|terms| terms.amount.amount_minor);
        let fact = RefundCompleted {
            refund_id: refund.id,
            payment_id: payment.id,
            order_id: payment.order_id,
            amount: refund.amount,
            reason: refund.reason.clone(),
            fully_refunded: captured_minor == Some(payment.refunded_minor),
        };
        event_bus::enqueue(
            tx,
            &Event::new(EventId::generate(), &context, payment.version, fact),
        )
        .await
    }

    async fn fail_refund(
        &self,
        tx: &mut PgConnection,
        locked: Locked,
        refund: &mut Refund,
        failure: &str,
    ) -> Result<(), sqlx::Error> {
        Alarm::RefundFailed.raise(refund.id, failure);
        let pending_minor = locked.pending_minor(Some(refund.id));
        let mut payment = locked.payment;
        refund.stage = RefundStage::Failed;
        payment.stage = payment.stage_after_refund(pending_minor);
        payment.version += 1;
        store::refund::save(tx, refund, Some(failure), Some(self.clock.now()), None).await?;
        store::payment::save(tx, &payment, None).await
    }
}
