//! Gives an input to the saga of an order: the common part of all that isn't an answer to its own calls.

use chrono::{DateTime, Utc};
use contracts::OrderId;
use contracts::event::EventContext;
use pg_kit::idempotency::{self, Claim, Scope};
use serde::Serialize;
use service_kit::trace;
use sqlx::PgConnection;

use super::{App, AppError, Inner, publish};
use crate::domain::returns::ReturnProblem;
use crate::saga::{Due, Effect, Input, InvalidInput, advance};
use crate::store;
use crate::store::saga::{Change, Job, Next};

/// A saga advanced and not yet saved.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) job: Job,
    pub(super) effects: Vec<Effect>,
    pub(super) next: Next,
    /// Where in the order's trace it was decided: its events go on from there.
    pub(super) traceparent: Option<String>,
}

impl Plan {
    pub(super) fn change(&self) -> Change<'_> {
        Change {
            job: &self.job,
            effects: &self.effects,
            next: self.next,
        }
    }

    /// The saga as it is once the plan is saved, if this process goes on with it.
    pub(super) fn saved(mut self) -> Option<Job> {
        self.job.fence += 1;
        (self.next == Next::Me).then_some(self.job)
    }
}

/// What became of an input.
#[derive(Debug)]
pub(super) enum Steered {
    /// There is no such order.
    Unknown,
    /// It doesn't fit.
    Refused(InvalidInput),
    /// It was taken; the job is to go on with after the commit.
    Taken(Option<Box<Job>>),
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Done, or done before.
    Done,
    /// There is no such order, or it is somebody else's.
    NotFound,
    /// It doesn't fit the order's state.
    Refused(InvalidInput),
    /// Nothing comes back, or not as asked for.
    NotReturned(ReturnProblem),
    /// The key was used with another input.
    KeyReused,
    /// The same command is being worked on.
    InProgress,
}

/// An idempotency key with whose it is.
#[derive(Debug, Clone)]
pub struct Key {
    /// The caller.
    pub principal: String,
    /// As the caller sent it.
    pub key: String,
}

impl Inner {
    /// Advances a saga in memory; `None` when nothing changes.
    pub(super) fn plan(
        &self,
        job: Job,
        input: Input,
        now: DateTime<Utc>,
    ) -> Result<Option<Plan>, InvalidInput> {
        let (saga, effects) = advance(job.saga.clone(), input, now)?;
        if effects.is_empty() && saga == job.saga {
            return Ok(None);
        }
        for effect in &effects {
            if let Effect::Alarm { reason } = effect {
                tracing::error!(order = %saga.order_id, state = %saga.state, reason, "an order needs a person");
                super::measure::alarm();
            }
        }
        let next = match saga.due {
            Due::Never => Next::Nobody,
            Due::Now => Next::Me,
            Due::Backoff => Next::Anybody(self.policy.backoff.delay(saga.attempt.saturating_sub(1))),
            Due::Recheck => Next::Anybody(super::run_saga::RECHECK),
        };
        let traceparent = trace::joined(job.order.traceparent.as_deref());
        Ok(Some(Plan {
            job: Job { saga, ..job },
            effects,
            next,
            traceparent,
        }))
    }

    pub(super) fn context(&self, plan: &Plan) -> EventContext {
        let here = event_bus::context(self.host.service, &self.clock);
        let order = &plan.job.order;
        EventContext {
            correlation_id: here.correlation_id.or_else(|| order.correlation_id.clone()),
            traceparent: plan.traceparent.clone(),
            ..here
        }
    }

    /// Loads a saga under a lock, advances it and saves it, in the caller's transaction.
    pub(super) async fn steer(
        &self,
        tx: &mut PgConnection,
        order: OrderId,
        input: Input,
    ) -> Result<Steered, sqlx::Error> {
        match store::saga::lock(tx, order).await? {
            None => Ok(Steered::Unknown),
            Some(job) => self.steer_job(tx, job, input).await,
        }
    }

    /// The same for a saga that is locked already.
    pub(super) async fn steer_job(
        &self,
        tx: &mut PgConnection,
        job: Job,
        input: Input,
    ) -> Result<Steered, sqlx::Error> {
        let plan = match self.plan(job, input, self.clock.now()) {
            Err(refusal) => return Ok(Steered::Refused(refusal)),
            Ok(None) => return Ok(Steered::Taken(None)),
            Ok(Some(plan)) => plan,
        };
        store::saga::save(tx, &self.holder, &[plan.change()]).await?;
        let context = self.context(&plan);
        event_bus::enqueue_all(tx, &publish::status_changes(&plan, &context)?).await?;
        super::measure::settled(&plan, self.clock.now());
        Ok(Steered::Taken(plan.saved().map(Box::new)))
    }
}

impl App {
    /// A command without a key of its own: the state makes it idempotent.
    pub(super) async fn command(&self, order: OrderId, input: Input) -> Result<Asked, AppError> {
        let mut tx = self.requests.begin().await?;
        let steered = self.steer(&mut tx, order, input).await?;
        tx.commit().await?;
        Ok(self.answer(steered))
    }

    /// A command under a key, which is stored with its effect, and so is what an operator says about a refund.
    pub(super) async fn keyed_command(
        &self,
        order: OrderId,
        input: Input,
        operation: &'static str,
        key: &Key,
        request: &(impl Serialize + Sync),
        refund_note: Option<&str>,
    ) -> Result<Asked, AppError> {
        let scope = Scope {
            principal: &key.principal,
            operation,
            key: &key.key,
        };
        let mut tx = self.requests.begin().await?;
        let hash = idempotency::request_hash(request);
        match idempotency::claim(&mut tx, &scope, &hash).await? {
            Claim::Fresh => {}
            Claim::Replay(_) => return Ok(Asked::Done),
            Claim::Reused => return Ok(Asked::KeyReused),
            Claim::InProgress => return Ok(Asked::InProgress),
        }
        if let Some(problem) = self.keeps_from_refund(&mut tx, order, &input).await? {
            return Ok(Asked::NotReturned(problem));
        }
        let steered = self.steer(&mut tx, order, input).await?;
        if matches!(steered, Steered::Taken(_)) {
            if let Some(note) = refund_note {
                store::checkout::note_refund(&mut tx, order, note).await?;
            }
            idempotency::complete(&mut tx, &scope, &order).await?;
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(self.answer(steered))
    }

    pub(super) fn answer(&self, steered: Steered) -> Asked {
        match steered {
            Steered::Unknown => Asked::NotFound,
            Steered::Refused(refusal) => Asked::Refused(refusal),
            Steered::Taken(job) => {
                self.go_on(job.map(|job| *job));
                Asked::Done
            }
        }
    }
}
