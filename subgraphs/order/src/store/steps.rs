//! Sagas and their step logs as operators see them.

use chrono::{DateTime, Utc};
use contracts::OrderId;
use service_kit::trace::trace_id;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::text::Stored;
use crate::domain::order::{SagaStep, SagaView, StepState};
use crate::saga::Action;

/// The sagas of orders with their step logs.
pub(crate) async fn sagas_of(
    db: impl PgExecutor<'_>,
    ids: &[OrderId],
) -> Result<Vec<(OrderId, SagaView)>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT s.order_id, o.status, s.step AS awaited, s.attempt, s.needs_attention AS "needs_attention!", s.last_error,
                  s.deadline_at, s.correlation_id, s.traceparent, l.step AS "log_step?",
                  l.status AS "log_status?", l.attempts AS "log_attempts?", l.started_at AS "started_at?", l.ended_at
           FROM saga s JOIN orders o ON o.id = s.order_id LEFT JOIN saga_step l ON l.order_id = s.order_id
           WHERE s.order_id = ANY($1) ORDER BY s.order_id, l.started_at, l.step"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    let mut sagas: Vec<(OrderId, SagaView)> = Vec::new();
    for row in rows {
        let order = OrderId::from_uuid(row.order_id);
        if sagas.last().is_none_or(|(last, _)| *last != order) {
            let view = SagaView {
                step: row.awaited.unwrap_or(row.status),
                attempt: row.attempt,
                needs_attention: row.needs_attention,
                last_error: row.last_error,
                deadline_at: row.deadline_at,
                trace_id: row.traceparent.as_deref().and_then(trace_id).map(str::to_owned),
                correlation_id: row.correlation_id,
                steps: Vec::new(),
            };
            sagas.push((order, view));
        }
        let log = (row.log_step, row.log_status, row.log_attempts, row.started_at);
        if let ((Some(step), Some(status), Some(attempts), Some(started)), Some((_, view))) =
            (log, sagas.last_mut())
        {
            view.steps
                .push(step_of(&step, &status, attempts, started, row.ended_at)?);
        }
    }
    Ok(sagas)
}

fn step_of(
    name: &str,
    status: &str,
    attempts: i32,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
) -> Result<SagaStep, sqlx::Error> {
    let action = Action::read(name)?;
    Ok(SagaStep {
        name: action.as_str(),
        kind: action.kind(),
        state: match status {
            "STARTED" => StepState::Started,
            "OK" => StepState::Done,
            _ => StepState::Refused,
        },
        attempts,
        started_at,
        ended_at,
    })
}
