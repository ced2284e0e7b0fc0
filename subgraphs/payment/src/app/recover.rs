//! Takes up what was left undecided: payments and refunds whose provider's word is missing, voids to be carried out,
//! and, now and then, voided payments whose money may have been taken all the same.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use service_kit::Host;

use super::{App, AppError, LEASE};
use crate::domain::{Payment, Refund};
use crate::store;

/// Taken up at a time.
const BATCH: i64 = 16;
/// The safety net under the wake-up.
const POLL: Duration = Duration::from_millis(500);
const PRUNE_EVERY: Duration = Duration::from_mins(5);
const KEEP_EVENTS: TimeDelta = TimeDelta::days(30);

impl App {
    /// Runs recovery and pruning on the host until shutdown.
    pub fn run_workers(&self, host: &Host) {
        let (app, shutdown) = (self.for_workers(), host.shutdown.clone());
        host.spawn("payment recovery", async move {
            while !shutdown.is_cancelled() {
                match app.recover_once().await {
                    Ok(0) => app.idle(&shutdown).await,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "recovery can't use its store");
                        app.idle(&shutdown).await;
                    }
                }
            }
        });
        let (app, shutdown) = (self.for_workers(), host.shutdown.clone());
        host.spawn("webhook pruner", async move {
            while shutdown
                .run_until_cancelled(tokio::time::sleep(PRUNE_EVERY))
                .await
                .is_some()
            {
                if let Err(error) = app.prune_webhooks().await {
                    tracing::warn!(%error, "webhooks can't be pruned");
                }
            }
        });
    }

    async fn idle(&self, shutdown: &tokio_util::sync::CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.due.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }

    /// Takes up all that is due now, a batch of it; answers how many.
    pub async fn recover_once(&self) -> Result<usize, AppError> {
        let payments = store::payment::claim_due(&self.pools.requests, BATCH, LEASE).await?;
        let refunds = store::refund::claim_due(&self.pools.requests, BATCH, LEASE).await?;
        let count = payments.len() + refunds.len();
        let payments = join_all(payments.into_iter().map(|payment| self.recover_payment(payment)));
        let refunds = join_all(refunds.into_iter().map(|refund| self.recover_refund(refund)));
        tokio::join!(payments, refunds);
        Ok(count)
    }

    async fn recover_payment(&self, payment: Payment) {
        let span = tracing::info_span!("recovery", payment = %payment.id, order = %payment.order_id);
        let cause = payment.clone();
        self.on_behalf_of(&cause, span, self.ask_again(payment)).await;
    }

    async fn ask_again(&self, payment: Payment) {
        let (id, stage) = (payment.id, payment.stage);
        match self.drive(payment).await {
            Ok(payment) if payment.stage == stage => {}
            Ok(payment) => {
                tracing::info!(payment = %id, from = ?stage, to = ?payment.stage, "recovered a payment");
            }
            Err(error) => tracing::warn!(payment = %id, ?stage, %error, "payment is still undecided"),
        }
    }

    async fn recover_refund(&self, refund: Refund) {
        let id = refund.id;
        let outcome = async {
            let known = store::payment::find_by_ids(&self.pools.requests, &[refund.payment_id.uuid()])
                .await?
                .pop();
            let payment = known.ok_or(sqlx::Error::RowNotFound)?;
            let span = tracing::info_span!("recovery", refund = %id, order = %payment.order_id);
            self.on_behalf_of(&payment, span, self.drive_refund(&payment, refund))
                .await
        };
        match outcome.await {
            Ok(refund) => tracing::info!(refund = %id, stage = ?refund.stage, "recovered a refund"),
            Err(error) => tracing::warn!(refund = %id, %error, "refund is still undecided"),
        }
    }

    /// Forgets webhooks that are too old to come again.
    pub async fn prune_webhooks(&self) -> Result<u64, AppError> {
        let before = self.clock.now() - KEEP_EVENTS;
        let prune = |limit| store::psp_event::prune(&self.pools.requests, before, limit);
        Ok(pg_kit::in_batches(prune).await?)
    }
}
