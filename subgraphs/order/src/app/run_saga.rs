//! The only runner of `saga.rs`: claim, call outside any transaction, save the answer, go on.
//!
//! A saga is run by whoever holds its lease. One that was left behind, by a crash or a pause, is found again when
//! the lease ends; a late answer of the old holder bears the same key and is dropped when it is saved.

use std::time::{Duration, Instant};

use contracts::inventory::{ReservationLine, ReserveStock};
use contracts::payment::StartPayment;
use service_auth::CallError;
use service_kit::{bug, correlation, crash_point, trace};
use tracing::Instrument;

use super::{App, Inner};
use crate::saga::{Action, Input, RefundReason, Reply};
use crate::store;
use crate::store::saga::Job;

/// After a refund was accepted: asked again in case its event got lost.
pub(super) const RECHECK: Duration = Duration::from_mins(1);
/// Sagas claimed in one transaction.
const CLAIM: usize = 64;

impl App {
    /// Claims what is due and runs it, until the host stops.
    pub(super) async fn claim_forever(self) {
        loop {
            let full = match self.claim().await.map_err(pg_kit::count_error) {
                Ok(jobs) => {
                    let full = jobs.len() == CLAIM;
                    self.go_on(jobs);
                    full
                }
                Err(error) => {
                    tracing::warn!(%error, "can't claim sagas");
                    false
                }
            };
            if self.host.shutdown.is_cancelled() || (!full && !self.pause(&self.due, self.policy.poll).await)
            {
                return;
            }
        }
    }

    /// Takes a lease on due sagas, as many as can run now.
    async fn claim(&self) -> Result<Vec<Job>, sqlx::Error> {
        let free = self.running.available_permits().min(CLAIM);
        if free == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.workers.begin().await?;
        let jobs = store::saga::claim(&mut tx, &self.holder, i64::try_from(free).unwrap_or(1)).await?;
        tx.commit().await?;
        super::measure::claimed(jobs.len());
        Ok(jobs)
    }

    /// Runs a saga for as long as there is a call to make at once.
    pub(super) async fn drive(self, job: Job) {
        let leased = Instant::now();
        let Ok(_place) = self.running.acquire().await else {
            return;
        };
        // A lease that was spent on waiting may have passed to somebody else.
        if leased.elapsed() * 2 > self.policy.lease {
            return;
        }
        let id = job
            .order
            .correlation_id
            .clone()
            .unwrap_or_else(correlation::new_id);
        let span = tracing::info_span!("saga", order = %job.saga.order_id);
        trace::with_parent(&span, job.order.traceparent.as_deref());
        correlation::scope(id, self.follow(job)).instrument(span).await;
    }

    async fn follow(&self, job: Job) {
        let mut next = Some(job);
        while let Some(mut job) = next {
            if self.host.shutdown.is_cancelled() {
                return self.give_back(&job).await;
            }
            let Some(input) = self.call(&mut job).await else {
                return;
            };
            next = self.record(job, input).await;
        }
    }

    /// At the end of the process another may go on at once.
    async fn give_back(&self, job: &Job) {
        let released = async {
            let mut conn = self.workers.acquire().await?;
            store::saga::release(&mut conn, job.saga.order_id, job.fence).await
        };
        if let Err(error) = released.await.map_err(pg_kit::count_error) {
            tracing::debug!(%error, "the lease ends by itself");
        }
    }

    /// Makes the awaited call. An answer that decides nothing becomes [`Input::NoAnswer`].
    async fn call(&self, job: &mut Job) -> Option<Input> {
        let action = job.saga.pending?;
        crash_point!("before", action.as_str(), job.saga.order_id);
        let span = tracing::info_span!(
            "action",
            otel.name = format!("saga {}", action.as_str()),
            otel.status_code = tracing::field::Empty,
            order = %job.saga.order_id,
            action = action.as_str(),
            attempt = job.saga.attempt,
        );
        let answer = self.perform(action, job).instrument(span.clone()).await;
        if answer.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        drop(span);
        crash_point!("after", action.as_str(), job.saga.order_id);
        Some(match answer {
            Ok(reply) => Input::Replied(reply),
            Err(error) => {
                tracing::warn!(action = action.as_str(), attempt = job.saga.attempt, %error, "no answer");
                super::measure::retry(action);
                Input::NoAnswer {
                    action,
                    reason: format!("{}: {error}", action.as_str()),
                }
            }
        })
    }

    async fn perform(&self, action: Action, job: &mut Job) -> Result<Reply, CallError> {
        let order = job.saga.order_id;
        let clients = &self.clients;
        match action {
            Action::Reserve => {
                let body = self.reservation(job).await?;
                clients.inventory.reserve(order, &body).await
            }
            Action::Confirm => clients.inventory.confirm(order).await,
            Action::Release => clients.inventory.release(order).await,
            Action::Restock => clients.inventory.restock(order).await,
            Action::Pay => {
                let body = StartPayment {
                    user_id: job.order.user_id,
                    amount: job.order.total,
                    method: job.order.payment_method.clone(),
                };
                clients.payment.start(order, &body).await
            }
            Action::Void => {
                if bug!("release_before_void") {
                    clients.inventory.release(order).await?;
                }
                clients.payment.void(order).await
            }
            Action::Refund => {
                let reason = job
                    .saga
                    .refund
                    .map_or(RefundReason::Operator, |refund| refund.reason);
                clients.payment.refund(order, reason).await
            }
        }
    }

    /// The order of the lines and the time to live are part of the key: they never change.
    async fn reservation(&self, job: &mut Job) -> Result<ReserveStock, CallError> {
        let lines = match job.order.lines.take() {
            Some(lines) => lines,
            None => self.load_lines(job).await.map_err(|error| CallError::Unknown {
                reason: format!("the order's lines can't be read: {}", pg_kit::count_error(error)),
            })?,
        };
        let ttl = if bug!("short_ttl") {
            Duration::from_secs(1)
        } else {
            self.policy.deadline + self.policy.margin
        };
        Ok(ReserveStock {
            lines,
            ttl_s: u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX),
        })
    }
}

impl Inner {
    async fn load_lines(&self, job: &Job) -> Result<Vec<ReservationLine>, sqlx::Error> {
        let lines = store::orders::lines_of(&self.workers, &[job.saga.order_id]).await?;
        let line = |(_, line): (_, crate::domain::Line)| ReservationLine {
            sku: line.sku,
            quantity: line.quantity,
        };
        Ok(lines.into_iter().map(line).collect())
    }
}

/// For tests, which step the workers instead of waiting for them.
impl App {
    /// Makes one call of each saga that this process holds or finds due; answers how many.
    pub async fn step(&self) -> usize {
        let mut jobs: Vec<_> = self.waiting().drain(..).collect();
        if jobs.is_empty() {
            jobs = self.claim().await.unwrap_or_default();
        }
        let steps = jobs.len();
        for mut job in jobs {
            let Some(input) = self.call(&mut job).await else {
                continue;
            };
            let next = self.record(job, input).await;
            self.waiting().extend(next);
        }
        steps
    }

    /// Forgets the sagas this process holds, as a crash would; their leases stay.
    pub fn crash(&self) -> usize {
        self.waiting().drain(..).count()
    }
}
