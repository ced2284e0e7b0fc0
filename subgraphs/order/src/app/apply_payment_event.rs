//! What payment tells: captured, declined, refunded.

use contracts::payment::{PaymentFailed, PaymentSucceeded, REASON_LATE_PAYMENT, RefundCompleted};
use contracts::{EventData, OrderId};
use event_bus::{HandleError, Message};
use service_kit::crash_point;
use sqlx::PgConnection;

use super::Inner;
use super::steer::Steered;
use crate::saga::Input;
use crate::store;
use crate::store::saga::Job;

impl Inner {
    /// In the transaction of its inbox row; the job is to go on with after the commit.
    pub(crate) async fn apply_payment_event(
        &self,
        tx: &mut PgConnection,
        message: &Message,
    ) -> Result<Option<Job>, HandleError> {
        match message.kind.as_str() {
            PaymentSucceeded::TYPE => {
                let event = message.event::<PaymentSucceeded>()?.data;
                let job = self.known(tx, event.order_id).await?;
                let input = captured(&job, &event);
                let taken = self.take(tx, job, input).await;
                crash_point!(
                    "heard",
                    if event.late { "late-payment" } else { "payment" },
                    event.order_id
                );
                taken
            }
            PaymentFailed::TYPE => {
                let event = message.event::<PaymentFailed>()?.data;
                let job = self.known(tx, event.order_id).await?;
                self.take(tx, job, Input::PaymentFailed).await
            }
            RefundCompleted::TYPE => {
                let event = message.event::<RefundCompleted>()?.data;
                if self.hear_of_refund(tx, event.order_id, &event.reason).await? {
                    return Ok(None);
                }
                let job = self.known(tx, event.order_id).await?;
                let input = Input::RefundCompleted {
                    late: event.reason == REASON_LATE_PAYMENT,
                    full: event.fully_refunded,
                };
                self.take(tx, job, input).await
            }
            other => Err(HandleError::Dead(format!("{other} is not an event order knows"))),
        }
    }

    /// An order that isn't known yet is waited for: the event may have been quicker than our own restore.
    pub(super) async fn known(&self, tx: &mut PgConnection, order: OrderId) -> Result<Job, HandleError> {
        let job = store::saga::lock(tx, order).await?;
        job.ok_or_else(|| HandleError::Park(format!("{order} is not known")))
    }

    pub(super) async fn take(
        &self,
        tx: &mut PgConnection,
        job: Job,
        input: Input,
    ) -> Result<Option<Job>, HandleError> {
        match self.steer_job(tx, job, input).await? {
            Steered::Taken(job) => Ok(job.map(|job| *job)),
            Steered::Unknown => Ok(None),
            Steered::Refused(error) => Err(HandleError::Dead(error.to_string())),
        }
    }
}

/// Only the order's exact amount pays it.
fn captured(job: &Job, event: &PaymentSucceeded) -> Input {
    if event.amount == job.order.total {
        return Input::PaymentSucceeded { late: event.late };
    }
    Input::PaymentContradicts {
        reason: format!(
            "payment captured {} {} in minor units, the order's total is {} {}",
            event.amount.amount_minor,
            event.amount.currency,
            job.order.total.amount_minor,
            job.order.total.currency
        ),
    }
}
