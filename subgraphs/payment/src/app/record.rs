//! Records what the provider says of a payment, whichever door it came through: state, ledger and event together.

use std::time::Duration;

use contracts::event::EventContext;
use contracts::payment::{PaymentFailed, PaymentSucceeded, REASON_LATE_PAYMENT};
use contracts::{Event, EventId, PaymentId, RefundId};
use service_kit::{crash_point, trace};
use sqlx::PgConnection;

use super::{Alarm, App, AppError};
use crate::domain::{Change, News, Payment, Refund, RefundStage, Report, Stage};
use crate::store;

/// A payment after a report, and what the report changed.
pub(super) struct Heard {
    pub(super) payment: Payment,
    pub(super) change: Change,
    /// For the note about a webhook.
    pub(super) outcome: &'static str,
}

impl App {
    /// Records a report under the payment's lock.
    pub(super) async fn record(&self, id: PaymentId, report: &Report) -> Result<Payment, AppError> {
        let mut tx = self.pools.requests.begin().await?;
        let payment = store::payment::lock(&mut tx, id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let heard = self.hear_in_tx(&mut tx, payment, report).await?;
        tx.commit().await?;
        crash_point!(
            "recorded",
            format_args!("{:?}", heard.payment.stage),
            heard.payment.order_id
        );
        self.announce(heard.change);
        Ok(heard.payment)
    }

    /// Records that the provider refused to begin: nothing was taken, and nothing will be.
    pub(super) async fn record_refusal(&self, id: PaymentId, code: &str) -> Result<Payment, AppError> {
        let mut tx = self.pools.requests.begin().await?;
        let mut payment = store::payment::lock(&mut tx, id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let change = if payment.psp_ref.is_none() {
            payment.stage.hear(News::Declined)
        } else {
            Change::None
        };
        if change == Change::Fail {
            self.fail(&mut tx, &mut payment, Some(code.to_owned())).await?;
        }
        tx.commit().await?;
        self.announce(change);
        Ok(payment)
    }

    /// Wakes whoever has something to do after a commit.
    pub(super) fn announce(&self, change: Change) {
        if change != Change::None {
            self.relay.wake();
        }
        if change == Change::CaptureLate {
            self.due.notify_one();
        }
    }

    /// Applies a report to a locked payment.
    pub(super) async fn hear_in_tx(
        &self,
        tx: &mut PgConnection,
        mut payment: Payment,
        report: &Report,
    ) -> Result<Heard, sqlx::Error> {
        if let Err(mismatch) = report.check(&payment) {
            Alarm::Mismatch.raise(payment.id, &mismatch);
            return Ok(Heard {
                payment,
                change: Change::None,
                outcome: Alarm::Mismatch.as_str(),
            });
        }
        let fresh_ref = payment.psp_ref.is_none();
        payment.psp_ref.get_or_insert_with(|| report.psp_ref.clone());
        let change = payment.stage.hear(report.news);
        let outcome = match change {
            Change::Capture => self.capture(tx, &mut payment, false).await.map(|()| "captured")?,
            Change::CaptureLate => self
                .capture(tx, &mut payment, true)
                .await
                .map(|()| "captured_late")?,
            Change::Fail => self
                .fail(tx, &mut payment, report.decline_code.clone())
                .await
                .map(|()| "failed")?,
            Change::Void => self.void(tx, &mut payment).await.map(|()| "voided")?,
            Change::None => {
                if fresh_ref || payment.recheck_after().is_some() {
                    store::payment::save(tx, &payment, payment.recheck_after()).await?;
                }
                "nothing_new"
            }
            Change::Contradiction => {
                let detail = format!("{:?} was told {:?}", payment.stage, report.news);
                Alarm::Contradiction.raise(payment.id, detail);
                Alarm::Contradiction.as_str()
            }
        };
        Ok(Heard {
            payment,
            change,
            outcome,
        })
    }

    async fn capture(
        &self,
        tx: &mut PgConnection,
        payment: &mut Payment,
        late: bool,
    ) -> Result<(), sqlx::Error> {
        let Some(terms) = payment.terms.clone() else {
            return Err(sqlx::Error::RowNotFound);
        };
        let context = self.context(payment);
        payment.stage = if late {
            Stage::RefundPending
        } else {
            Stage::Captured
        };
        payment.captured_at = Some(context.time);
        payment.version += 1;
        payment.checks = 0;
        store::payment::save(tx, payment, None).await?;
        store::ledger::book_capture(tx, payment.id, terms.amount, context.time).await?;
        if late {
            let refund = Refund {
                id: RefundId::generate(),
                payment_id: payment.id,
                reason: REASON_LATE_PAYMENT.to_owned(),
                amount: terms.amount,
                stage: RefundStage::Pending,
                psp_ref: None,
                created_at: context.time,
                checks: 0,
            };
            store::refund::insert(tx, &refund, Duration::ZERO).await?;
        }
        let fact = PaymentSucceeded {
            payment_id: payment.id,
            order_id: payment.order_id,
            amount: terms.amount,
            captured_at: context.time,
            late,
        };
        event_bus::enqueue(
            tx,
            &Event::new(EventId::generate(), &context, payment.version, fact),
        )
        .await
    }

    async fn fail(
        &self,
        tx: &mut PgConnection,
        payment: &mut Payment,
        code: Option<String>,
    ) -> Result<(), sqlx::Error> {
        let code = code.unwrap_or_else(|| "declined".to_owned());
        payment.stage = Stage::Failed;
        payment.decline_code = Some(code.clone());
        payment.version += 1;
        payment.checks = 0;
        store::payment::save(tx, payment, None).await?;
        let fact = PaymentFailed {
            payment_id: payment.id,
            order_id: payment.order_id,
            decline_code: code,
        };
        let event = Event::new(EventId::generate(), &self.context(payment), payment.version, fact);
        event_bus::enqueue(tx, &event).await
    }

    async fn void(&self, tx: &mut PgConnection, payment: &mut Payment) -> Result<(), sqlx::Error> {
        payment.stage = Stage::Voided;
        payment.version += 1;
        payment.checks = 0;
        store::payment::save(tx, payment, payment.recheck_after()).await
    }

    /// The event belongs to the request that started the payment, whoever brought the news.
    pub(super) fn context(&self, payment: &Payment) -> EventContext {
        let mut context = event_bus::context("payment", &self.clock);
        if payment.correlation_id.is_some() {
            context.correlation_id.clone_from(&payment.correlation_id);
        }
        context.traceparent = trace::joined(payment.traceparent.as_deref());
        context
    }
}
