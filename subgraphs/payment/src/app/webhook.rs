//! Takes in a webhook of the provider: verified, each event once, applied under the payment's lock.

use service_kit::crash_point;
use sqlx::PgConnection;

use super::{Alarm, App, AppError};
use crate::clients::stripe::{self, About, ReadError, SignatureError, Webhook};
use crate::domain::{Change, Payment, RefundReport, Report};
use crate::store;

/// Why a webhook is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Not from the provider, or too old.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// From the provider, but not readable.
    #[error(transparent)]
    Body(#[from] ReadError),
    /// It could not be applied; the provider sends it again.
    #[error(transparent)]
    App(#[from] AppError),
}

impl App {
    /// Verifies, reads and applies.
    pub async fn receive_webhook(&self, signature: &str, body: &[u8]) -> Result<(), WebhookError> {
        let secret = self.settings.webhook_secret.expose();
        stripe::verify(secret, signature, body, self.clock.now())?;
        let webhook = stripe::read_webhook(body)?;
        let app = self.clone();
        Ok(self
            .finish(async move { app.apply_webhook(webhook).await })
            .await?)
    }

    async fn apply_webhook(&self, webhook: Webhook) -> Result<(), AppError> {
        let mut tx = self.pools.requests.begin().await?;
        if !store::psp_event::insert(&mut tx, &webhook.id, &webhook.kind, self.clock.now()).await? {
            return Ok(());
        }
        let change = match &webhook.about {
            About::Payment(report) => self.apply_report(&mut tx, &webhook, report).await?,
            About::Refund(report) => self.apply_refund_report(&mut tx, &webhook, report).await?,
            About::Other => Change::None,
        };
        crash_point!("webhook", webhook.id);
        tx.commit().await?;
        self.announce(change);
        Ok(())
    }

    async fn apply_report(
        &self,
        tx: &mut PgConnection,
        webhook: &Webhook,
        report: &Report,
    ) -> Result<Change, sqlx::Error> {
        // A webhook may come before the answer that tells the reference: then our own id, told back, finds it.
        let payment = match (
            store::payment::lock_by_ref(tx, &report.psp_ref).await?,
            report.payment_id,
        ) {
            (None, Some(id)) => store::payment::lock(tx, id).await?,
            (known, _) => known,
        };
        let Some(payment) = payment else {
            Alarm::UnknownPayment.raise(&report.psp_ref, &webhook.kind);
            store::psp_event::conclude(tx, &webhook.id, None, Alarm::UnknownPayment.as_str()).await?;
            return Ok(Change::None);
        };
        let id = payment.id;
        let span = news(webhook, &payment);
        let cause = payment.clone();
        let heard = self
            .on_behalf_of(&cause, span, self.hear_in_tx(tx, payment, report))
            .await?;
        store::psp_event::conclude(tx, &webhook.id, Some(id), heard.outcome).await?;
        Ok(heard.change)
    }

    async fn apply_refund_report(
        &self,
        tx: &mut PgConnection,
        webhook: &Webhook,
        report: &RefundReport,
    ) -> Result<Change, sqlx::Error> {
        let Some(payment) = store::payment::lock_by_ref(tx, &report.payment_ref).await? else {
            Alarm::UnknownPayment.raise(&report.payment_ref, &webhook.kind);
            store::psp_event::conclude(tx, &webhook.id, None, Alarm::UnknownPayment.as_str()).await?;
            return Ok(Change::None);
        };
        let id = payment.id;
        let refunds = store::refund::of_payment(tx, id).await?;
        let locked = super::record_refund::Locked { payment, refunds };
        let ours = |known: &crate::domain::Refund| {
            report.refund_id == Some(known.id) || known.psp_ref.as_ref() == Some(&report.psp_ref)
        };
        let outcome = if let Some(refund) = locked.find(ours) {
            let (span, cause) = (news(webhook, &locked.payment), locked.payment.clone());
            self.on_behalf_of(&cause, span, self.hear_refund_in_tx(tx, locked, refund, report))
                .await?
                .1
        } else {
            Alarm::ForeignRefund.raise(id, &report.psp_ref);
            Alarm::ForeignRefund.as_str()
        };
        store::psp_event::conclude(tx, &webhook.id, Some(id), outcome).await?;
        // Whatever it was, there may be an event to publish.
        self.relay.wake();
        Ok(Change::None)
    }
}

/// What a webhook says, as a part of the checkout it is about.
fn news(webhook: &Webhook, payment: &Payment) -> tracing::Span {
    tracing::info_span!(
        "webhook",
        otel.kind = "consumer",
        otel.name = format!("webhook {}", webhook.kind),
        payment = %payment.id,
        order = %payment.order_id
    )
}
