//! Sends what is due: claimed and committed first, handed over outside any transaction, its outcome kept then.
//!
//! Whoever dies between the mail server's "250" and our commit leaves a mail that is claimed again when the lease ends,
//! and sent a second time with the same Message-ID. SMTP has nothing to ask whether a mail was taken.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use contracts::UserId;
use contracts::auth::Contact;
use futures::FutureExt;
use futures::future::join_all;
use service_kit::{correlation, trace};
use tracing::{Instrument, Span};

use super::{App, measure};
use crate::domain::Verdict;
use crate::domain::mail::Failure;
use crate::store;
use crate::store::mails::Claimed;

/// Who is written to; an absent auth is one failure for all.
type Known = Result<HashMap<UserId, Contact>, Failure>;

impl App {
    pub(super) async fn send_mails_forever(self) {
        while !self.host.shutdown.is_cancelled() {
            match self.send_mails().await {
                Ok(0) => self.idle().await,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "mails can't use their store");
                    self.idle().await;
                }
            }
        }
    }

    async fn idle(&self) {
        tokio::select! {
            () = self.due.notified() => {}
            () = tokio::time::sleep(self.policy.poll) => {}
            () = self.host.shutdown.cancelled() => {}
        }
    }

    /// Tries a batch of what is due now; answers how many were tried, whatever came of it.
    pub async fn send_mails(&self) -> Result<usize, sqlx::Error> {
        let batch = store::mails::claim(&self.workers, self.policy.batch, self.policy.lease).await;
        let batch = batch.map_err(pg_kit::count_error)?;
        if batch.is_empty() {
            return Ok(0);
        }
        let (count, contacts) = (batch.len(), self.contacts(&batch).await);
        let tries = batch.into_iter().map(|claimed| self.send(claimed, &contacts));
        join_all(tries).await.into_iter().collect::<Result<(), _>>()?;
        Ok(count)
    }

    /// Asks auth for all addresses of a batch, and looks whether the mail server is there: a server that is away must
    /// not use up the tries of every mail.
    async fn contacts(&self, batch: &[Claimed]) -> Known {
        self.mailer.reachable().await?;
        let mut users: Vec<_> = batch.iter().map(|claimed| claimed.mail.user).collect();
        users.sort_unstable();
        users.dedup();
        self.auth.contacts(users).await
    }

    async fn send(&self, claimed: Claimed, contacts: &Known) -> Result<(), sqlx::Error> {
        let span = tracing::info_span!(
            "mail",
            otel.kind = "producer",
            mail = %claimed.mail.id,
            order = %claimed.mail.order,
            attempt = claimed.mail.attempts,
        );
        trace::with_parent(&span, claimed.traceparent.as_deref());
        trace::link(&span, &Span::current());
        let id = claimed.correlation_id.clone().unwrap_or_else(correlation::new_id);
        correlation::scope(id, self.send_and_keep(&claimed, contacts).instrument(span)).await
    }

    async fn send_and_keep(&self, claimed: &Claimed, contacts: &Known) -> Result<(), sqlx::Error> {
        let mail = &claimed.mail;
        let verdict = match self.hand_over(claimed, contacts).await {
            Ok(()) => Verdict::Sent,
            Err(failure) => failure.verdict(mail.attempts, self.policy.tries, |failed| {
                self.policy.backoff.delay(failed)
            }),
        };
        match &verdict {
            Verdict::Sent => tracing::info!(mail = %mail.id, "sent a mail"),
            Verdict::Again { after, reason, .. } => {
                tracing::warn!(mail = %mail.id, ?after, reason, "a mail is tried again");
            }
            Verdict::Dead { reason } => tracing::error!(mail = %mail.id, reason, "gave up a mail"),
        }
        measure::tried(&verdict);
        let kept = store::mails::settle(&self.workers, claimed, &verdict).await;
        if !kept.map_err(pg_kit::count_error)? {
            tracing::warn!(mail = %mail.id, "somebody else has taken this mail over since");
        }
        Ok(())
    }

    async fn hand_over(&self, claimed: &Claimed, contacts: &Known) -> Result<(), Failure> {
        let known = contacts.as_ref().map_err(Clone::clone)?;
        let contact = known
            .get(&claimed.mail.user)
            .ok_or_else(|| Failure::Never("auth knows no such user".to_owned()))?;
        // One mail that can't be built must not end the worker of all.
        let handed = AssertUnwindSafe(self.mailer.send(&claimed.mail, contact)).catch_unwind();
        match tokio::time::timeout(self.policy.patience, handed).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::Later("sending it panicked".to_owned())),
            Err(_) => Err(Failure::Later("the mail server took too long".to_owned())),
        }
    }
}
