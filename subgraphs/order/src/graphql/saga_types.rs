//! The saga as operators see it.

use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, Utc};

use crate::domain::order::{SagaStep, SagaView, StepState};
use crate::saga::ActionKind;

/// How an order is being carried out.
#[derive(SimpleObject)]
#[graphql(name = "Saga", tag = "internal")]
pub(crate) struct SagaObject {
    /// The call whose answer is awaited, or the order's inner state if none is.
    step: String,
    /// How many times that call was started.
    attempt: i32,
    /// Whether a person should look.
    needs_attention: bool,
    /// What went wrong last.
    last_error: Option<String>,
    /// When an unpaid order is given up.
    deadline_at: DateTime<Utc>,
    /// The trace that all its calls and events belong to.
    trace_id: Option<String>,
    /// What its log lines carry in all services.
    correlation_id: Option<String>,
    /// All calls that were started.
    steps: Vec<SagaStepObject>,
}

impl From<SagaView> for SagaObject {
    fn from(saga: SagaView) -> Self {
        Self {
            step: saga.step,
            attempt: saga.attempt,
            needs_attention: saga.needs_attention,
            last_error: saga.last_error,
            deadline_at: saga.deadline_at,
            trace_id: saga.trace_id,
            correlation_id: saga.correlation_id,
            steps: saga.steps.into_iter().map(SagaStepObject::from).collect(),
        }
    }
}

/// A call to another service.
#[derive(SimpleObject)]
#[graphql(name = "SagaStep", tag = "internal")]
pub(crate) struct SagaStepObject {
    /// Its name.
    name: String,
    /// Whether it does or undoes.
    kind: SagaStepKind,
    /// How it stands.
    state: SagaStepState,
    /// How many times it was started.
    attempts: i32,
    /// When it was started first.
    started_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<SagaStep> for SagaStepObject {
    fn from(step: SagaStep) -> Self {
        Self {
            name: step.name.to_owned(),
            kind: step.kind.into(),
            state: step.state.into(),
            attempts: step.attempts,
            started_at: step.started_at,
            ended_at: step.ended_at,
        }
    }
}

/// Whether a call does or undoes.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "ActionKind", tag = "internal")]
pub(crate) enum SagaStepKind {
    /// Carries the order on.
    Forward,
    /// Takes back what was done.
    Compensation,
}

/// How a call stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "StepState", tag = "internal")]
pub(crate) enum SagaStepState {
    /// Started; its outcome is not known.
    Started,
    /// It did what it should.
    Done,
    /// It was refused, or does not matter any more.
    Refused,
}
