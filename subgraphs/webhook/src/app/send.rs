//! Sends what is due: claimed and committed first, posted outside any transaction, its outcome kept then.
//!
//! Whoever dies between an endpoint's "200" and our commit leaves a delivery that is claimed again when the lease ends,
//! and sent a second time with the same webhook-id. An endpoint that is slow has a few tries in flight and no more, so
//! it never takes the places of others.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use service_kit::{correlation, trace};
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use super::{App, measure};
use crate::clients::Signed;
use crate::domain::signature::signatures;
use crate::domain::{Tried, Verdict};
use crate::store;
use crate::store::deliveries::Claimed;
use crate::store::secrets::Sealed;

impl App {
    pub(super) async fn send_forever(self) {
        let mut flight = JoinSet::new();
        while !self.host.shutdown.is_cancelled() {
            while flight.try_join_next().is_some() {}
            let room = self.policy.in_flight.saturating_sub(flight.len());
            let taken = if room == 0 {
                Ok(0)
            } else {
                self.take_off(&mut flight, room).await
            };
            match taken {
                Ok(taken) if taken == room && room > 0 => {}
                Ok(_) => self.idle(&mut flight).await,
                Err(error) => {
                    tracing::warn!(%error, "deliveries can't use their store");
                    self.pause(self.policy.poll).await;
                }
            }
        }
        // Every try ends by itself, soon; its outcome should be kept.
        while flight.join_next().await.is_some() {}
    }

    /// Begins to send up to `room` deliveries; answers how many.
    async fn take_off(&self, flight: &mut JoinSet<()>, room: usize) -> Result<usize, sqlx::Error> {
        let (batch, secrets) = self.claim(room).await.map_err(pg_kit::count_error)?;
        let taken = batch.len();
        for claimed in batch {
            let (app, secrets) = (self.clone(), secrets.clone());
            flight.spawn(async move {
                if let Err(error) = app.send(claimed, &secrets).await {
                    tracing::warn!(%error, "the outcome of a delivery can't be kept");
                }
            });
        }
        Ok(taken)
    }

    /// Until there may be something to send, or room for it.
    async fn idle(&self, flight: &mut JoinSet<()>) {
        tokio::select! {
            () = self.due.notified() => {}
            Some(_) = flight.join_next() => {}
            () = tokio::time::sleep(self.policy.poll) => {}
            () = self.host.shutdown.cancelled() => {}
        }
    }

    /// Tries a batch of what is due now; answers how many were tried, whatever came of it.
    pub async fn send_due(&self) -> Result<usize, sqlx::Error> {
        let (batch, secrets) = self
            .claim(self.policy.in_flight)
            .await
            .map_err(pg_kit::count_error)?;
        let count = batch.len();
        let tries = batch.into_iter().map(|claimed| self.send(claimed, &secrets));
        join_all(tries).await.into_iter().collect::<Result<(), _>>()?;
        Ok(count)
    }

    /// Claims what is due, with the secrets of its endpoints.
    async fn claim(&self, limit: usize) -> Result<(Vec<Claimed>, Arc<[Sealed]>), sqlx::Error> {
        let (limit, policy) = (i64::try_from(limit).unwrap_or(i64::MAX), &self.policy);
        let batch = store::deliveries::claim(&self.workers, limit, policy.per_endpoint, policy.lease).await?;
        let mut endpoints: Vec<_> = batch.iter().map(|claimed| claimed.endpoint).collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        let secrets = match endpoints.as_slice() {
            [] => Vec::new(),
            some => store::secrets::of_endpoints(&self.workers, some).await?,
        };
        Ok((batch, secrets.into()))
    }

    async fn send(&self, claimed: Claimed, secrets: &[Sealed]) -> Result<(), sqlx::Error> {
        let span = tracing::info_span!(
            "webhook",
            otel.kind = "producer",
            delivery = %claimed.id,
            endpoint = %claimed.endpoint,
            kind = claimed.kind,
            attempt = claimed.attempts,
        );
        trace::with_parent(&span, claimed.traceparent.as_deref());
        trace::link(&span, &Span::current());
        let id = claimed.correlation_id.clone().unwrap_or_else(correlation::new_id);
        correlation::scope(id, self.send_and_keep(&claimed, secrets).instrument(span)).await
    }

    async fn send_and_keep(&self, claimed: &Claimed, secrets: &[Sealed]) -> Result<(), sqlx::Error> {
        // One delivery that panics must not end the worker of all.
        let tried = AssertUnwindSafe(self.post(claimed, secrets)).catch_unwind();
        let tried = tried
            .await
            .unwrap_or_else(|_| Tried::Failed("sending it panicked".to_owned()));
        let verdict = tried.verdict(claimed.attempts, rand::random());
        log(claimed, &verdict);
        measure::tried(&verdict);
        let kept = self.keep(claimed, &verdict).await;
        if !kept.map_err(pg_kit::count_error)? {
            tracing::warn!(delivery = %claimed.id, "somebody else has taken this delivery over since, or it is gone");
        }
        Ok(())
    }

    async fn post(&self, claimed: &Claimed, secrets: &[Sealed]) -> Tried {
        let at = self.now();
        let (id, own) = (
            claimed.id.to_string(),
            secrets
                .iter()
                .filter(|secret| secret.endpoint == claimed.endpoint),
        );
        let opened: Result<Vec<_>, _> = own
            .map(|secret| self.vault.open(secret.id, &secret.bytes))
            .collect();
        let opened = match opened {
            Ok(opened) if !opened.is_empty() => opened,
            Ok(_) => return Tried::Failed("there is no secret to sign with".to_owned()),
            Err(error) => return Tried::Failed(error.to_string()),
        };
        match signatures(&opened, &id, at.timestamp(), &claimed.body) {
            Ok(signatures) => {
                let signed = Signed {
                    url: &claimed.url,
                    id,
                    at,
                    signatures,
                    body: claimed.body.clone(),
                };
                self.sender.post(signed).await
            }
            Err(error) => Tried::Failed(format!("could not be signed: {error}")),
        }
    }

    /// Keeps the outcome, and with it how the endpoint stands.
    async fn keep(&self, claimed: &Claimed, verdict: &Verdict) -> Result<bool, sqlx::Error> {
        let mut tx = self.workers.begin().await?;
        let ours = store::deliveries::settle(&mut tx, claimed, verdict).await?;
        if ours {
            let endpoint = claimed.endpoint;
            match verdict {
                Verdict::Delivered { .. } => store::endpoints::works(&mut tx, endpoint).await?,
                Verdict::Again { .. } => store::endpoints::fails(&mut tx, endpoint).await?,
                Verdict::Dead { .. } => {
                    store::endpoints::fails(&mut tx, endpoint).await?;
                    let failing = self.policy.failing;
                    if store::endpoints::give_up(&mut tx, endpoint, failing, FAILED).await? {
                        tracing::error!(%endpoint, "switched off an endpoint that only failed");
                    }
                }
                Verdict::Gone { .. } => {
                    store::endpoints::disable(&mut tx, endpoint, GONE).await?;
                    tracing::warn!(%endpoint, "switched off an endpoint that is gone");
                }
            }
        }
        tx.commit().await?;
        Ok(ours)
    }
}

const GONE: &str = "it answered 410 Gone: it wants nothing any more";
const FAILED: &str = "every try failed for days";

fn log(claimed: &Claimed, verdict: &Verdict) {
    let delivery = claimed.id;
    match verdict {
        Verdict::Delivered { status } => tracing::info!(%delivery, status, "delivered an event"),
        Verdict::Again { after, reason, .. } => {
            tracing::warn!(%delivery, ?after, reason, "an event is tried again");
        }
        Verdict::Dead { reason, .. } | Verdict::Gone { reason } => {
            tracing::error!(%delivery, reason, "gave up an event");
        }
    }
}
