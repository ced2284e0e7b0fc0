//! Takes an undecided payment or refund one step on: asks the provider, and records what it says.
//!
//! Safe to run twice at a time, and after any crash: every question that moves money bears the same idempotency key.

use std::time::Duration;

use chrono::TimeDelta;
use service_kit::{Backoff, crash_point};

use super::{Alarm, App, AppError};
use crate::clients::stripe::ProviderError;
use crate::domain::{News, Payment, Refund, Report, Stage, Terms};
use crate::store;

/// Stripe remembers idempotency keys for 24 hours; past this age they are not relied on.
const KEY_AGE: TimeDelta = TimeDelta::hours(20);
const RETRY: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(30),
};

impl App {
    /// Asks the provider about a payment and records the answer; the payment as it is then.
    pub(super) async fn drive(&self, payment: Payment) -> Result<Payment, AppError> {
        let said = match payment.stage {
            Stage::Initiated => self.ask_to_pay(&payment).await,
            Stage::Voiding => self.ask_to_cancel(&payment).await,
            _ => self.ask(&payment).await,
        };
        crash_point!("answered", format_args!("{:?}", payment.stage), payment.order_id);
        match said {
            Ok(report) => self.record(payment.id, &report).await,
            Err(ProviderError::Refused { code, .. }) if payment.psp_ref.is_none() => {
                self.record_refusal(payment.id, &code).await
            }
            Err(error) => {
                store::payment::postpone(&self.pools.requests, payment.id, retry_after(payment.checks))
                    .await?;
                Err(AppError::Undecided(error.to_string()))
            }
        }
    }

    async fn ask_to_pay(&self, payment: &Payment) -> Result<Report, ProviderError> {
        match &payment.psp_ref {
            Some(psp_ref) => self.stripe.show(psp_ref).await,
            None => self.stripe.create(payment, self.live_terms(payment)?).await,
        }
    }

    /// Cancels at the provider. If its reference is not known, first makes sure that no start can still take money.
    async fn ask_to_cancel(&self, payment: &Payment) -> Result<Report, ProviderError> {
        if let Some(psp_ref) = &payment.psp_ref {
            return self.stripe.cancel(psp_ref).await;
        }
        let terms = self.live_terms(payment)?;
        let known = match self.stripe.fence(payment, terms).await {
            // The start came first: the same request again tells what came of it.
            Err(ProviderError::KeyReused) => self.stripe.create(payment, terms).await?,
            other => other?,
        };
        match known.news {
            News::Captured | News::Declined | News::Cancelled => Ok(known),
            News::Processing => self.stripe.cancel(&known.psp_ref).await,
        }
    }

    async fn ask(&self, payment: &Payment) -> Result<Report, ProviderError> {
        match &payment.psp_ref {
            Some(psp_ref) => self.stripe.show(psp_ref).await,
            None => Err(ProviderError::Unknown(
                "the provider never heard of it".to_owned(),
            )),
        }
    }

    /// The terms, if the payment's idempotency key can still be relied on.
    fn live_terms<'a>(&self, payment: &'a Payment) -> Result<&'a Terms, ProviderError> {
        let unknown = |why: &str| ProviderError::Unknown(why.to_owned());
        if self.clock.now() - payment.created_at > KEY_AGE {
            Alarm::TooOld.raise(payment.id, "open for too long to ask the provider with its key");
            return Err(unknown("the idempotency key is too old"));
        }
        payment
            .terms
            .as_ref()
            .ok_or_else(|| unknown("a tombstone was never started"))
    }

    /// Asks the provider about a refund and records the answer; the refund as it is then.
    pub(super) async fn drive_refund(&self, payment: &Payment, refund: Refund) -> Result<Refund, AppError> {
        let payment_ref = payment.psp_ref.clone().unwrap_or_default();
        let said = match &refund.psp_ref {
            Some(psp_ref) => self.stripe.show_refund(psp_ref).await,
            None => self.ask_to_refund(&refund, &payment_ref).await,
        };
        crash_point!("answered-refund", payment.order_id);
        match said {
            Ok(report) => self.record_refund(payment.id, refund.id, &report).await,
            Err(ProviderError::Refused { code, message }) if refund.psp_ref.is_none() => {
                self.record_refund_refusal(payment.id, refund.id, &format!("{code}: {message}"))
                    .await
            }
            Err(error) => {
                store::refund::postpone(&self.pools.requests, refund.id, retry_after(refund.checks)).await?;
                Err(AppError::Undecided(error.to_string()))
            }
        }
    }

    async fn ask_to_refund(
        &self,
        refund: &Refund,
        payment_ref: &str,
    ) -> Result<crate::domain::RefundReport, ProviderError> {
        if self.clock.now() - refund.created_at > KEY_AGE
            && let Some(found) = self.stripe.find_refund(refund, payment_ref).await?
        {
            return Ok(found);
        }
        self.stripe.refund(refund, payment_ref).await
    }
}

fn retry_after(checks: i32) -> Duration {
    RETRY.delay(u32::try_from(checks).unwrap_or_default())
}
