//! Sagas: loaded under a lock, claimed under a lease, saved if nobody else was quicker.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::inventory::ReservationLine;
use contracts::{Money, OrderId, UserId};
use serde::Serialize;
use service_kit::bug;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::text::Stored;
use super::{coupons, unreadable};
use crate::domain::State;
use crate::saga::{
    Action, ActionKind, Attention, Due, Effect, Outcome, PaymentFact, Refund, RefundReason, Saga, StockFact,
};

/// A saga with what its calls need to say, held by version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    /// The saga.
    pub(crate) saga: Saga,
    /// The row's version as it was read: a save with an older one is lost.
    pub(crate) fence: i64,
    /// The order it carries.
    pub(crate) order: Facts,
}

/// What never changes about an order and stands in the saga's calls and events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) user_id: UserId,
    pub(crate) total: Money,
    pub(crate) payment_method: String,
    /// Whether a coupon is spent on it, which is to be given back if it is cancelled.
    pub(crate) has_coupon: bool,
    /// Known in the process that created the order; loaded when a call needs them.
    pub(crate) lines: Option<Vec<ReservationLine>>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// A saga to be saved, and when it is to run again.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) job: &'a Job,
    pub(crate) effects: &'a [Effect],
    pub(crate) next: Next,
}

impl Change<'_> {
    /// Whether it ends an order that a coupon is spent on and that never became a sale: it was cancelled, or its money
    /// went back without an operator's doing. A sale that is refunded later has used its coupon.
    fn gives_coupon_back(&self) -> bool {
        let saga = &self.job.saga;
        let by_operator = saga
            .refund
            .is_some_and(|refund| refund.reason == RefundReason::Operator);
        let no_sale = |state| state == State::Cancelled || (state == State::Refunded && !by_operator);
        let ends = |effect: &Effect| matches!(effect, Effect::Record(step) if no_sale(step.to));
        self.job.order.has_coupon && self.effects.iter().any(ends)
    }
}

/// Who runs a saga next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nobody, until an input comes.
    Nobody,
    /// Whoever saves it, under a lease.
    Me,
    /// Anybody, after a pause.
    Anybody(Duration),
}

/// Who holds leases, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) name: String,
    pub(crate) lease: Duration,
}

struct JobRow {
    order_id: Uuid,
    fence: i64,
    step: Option<String>,
    attempt: i32,
    payment: String,
    stock: String,
    refund_reason: Option<String>,
    refund_restock: Option<bool>,
    refund_asked: Option<bool>,
    leased: bool,
    deadline_at: DateTime<Utc>,
    attention: Option<String>,
    last_error: Option<String>,
    correlation_id: Option<String>,
    traceparent: Option<String>,
    status: String,
    sequence: i64,
    reason: Option<String>,
    terminal_at: Option<DateTime<Utc>>,
    user_id: Uuid,
    total_minor: i64,
    currency: String,
    payment_method: String,
    has_coupon: bool,
}

impl JobRow {
    fn into_job(self) -> Result<Job, sqlx::Error> {
        let pending = Action::read_opt(self.step.as_deref())?;
        let refund = match RefundReason::read_opt(self.refund_reason.as_deref())? {
            Some(reason) => Some(Refund {
                reason,
                restock: self.refund_restock.unwrap_or_default(),
                asked: self.refund_asked.unwrap_or_default(),
            }),
            None => None,
        };
        let due = match pending {
            None => Due::Never,
            Some(_) if self.leased => Due::Now,
            Some(_) => Due::Backoff,
        };
        let saga = Saga {
            order_id: OrderId::from_uuid(self.order_id),
            state: self.status.parse().map_err(unreadable)?,
            sequence: self.sequence,
            payment: PaymentFact::read(&self.payment)?,
            stock: StockFact::read(&self.stock)?,
            cancel_reason: Stored::read_opt(self.reason.as_deref())?,
            refund,
            pending,
            attempt: u32::try_from(self.attempt).unwrap_or_default(),
            due,
            deadline_at: self.deadline_at,
            settled_at: self.terminal_at,
            attention: Attention::read_opt(self.attention.as_deref())?,
            last_error: self.last_error,
        };
        let order = Facts {
            user_id: UserId::from_uuid(self.user_id),
            total: Money::new(self.total_minor, self.currency.parse().map_err(unreadable)?),
            payment_method: self.payment_method,
            has_coupon: self.has_coupon,
            lines: None,
            correlation_id: self.correlation_id,
            traceparent: self.traceparent,
        };
        Ok(Job {
            saga,
            fence: self.fence,
            order,
        })
    }
}

/// Loads a saga with its order and locks both until the transaction ends.
///
/// Both, though the saga's lock alone keeps others away: whoever had to wait for a lock is shown the newest version of
/// the rows it locks, and of all others the one from before the wait. A saga beside an order of an older version would
/// be advanced from a state that is over.
pub(crate) async fn lock(conn: &mut PgConnection, order: OrderId) -> Result<Option<Job>, sqlx::Error> {
    sqlx::query_as!(
        JobRow,
        r#"SELECT s.order_id, s.version AS fence, s.step, s.attempt, s.payment, s.stock, s.refund_reason,
                  s.refund_restock, s.refund_asked, s.lease_until IS NOT NULL AS "leased!", s.deadline_at,
                  s.attention, s.last_error, s.correlation_id, s.traceparent, o.status, o.version AS sequence,
                  o.reason, o.terminal_at, o.user_id, o.total_minor, o.currency, o.payment_method,
                  o.coupon_code IS NOT NULL AS "has_coupon!"
           FROM saga s JOIN orders o ON o.id = s.order_id
           WHERE s.order_id = $1
           FOR NO KEY UPDATE OF s, o"#,
        order.uuid()
    )
    .fetch_optional(conn)
    .await?
    .map(JobRow::into_job)
    .transpose()
}

/// Leases due sagas and counts the try in the step log: committed before the calls are made.
/// Takes the orders' rows under the same lock, for the reason given at [`lock`].
pub(crate) async fn claim(
    conn: &mut PgConnection,
    holder: &Holder,
    limit: i64,
) -> Result<Vec<Job>, sqlx::Error> {
    sqlx::query_as!(
        JobRow,
        r#"WITH due AS (
               SELECT s.order_id, o.status, o.version AS sequence, o.reason, o.terminal_at, o.user_id,
                      o.total_minor, o.currency, o.payment_method, o.coupon_code IS NOT NULL AS has_coupon
               FROM saga s JOIN orders o ON o.id = s.order_id
               WHERE s.next_run_at <= statement_timestamp()
               ORDER BY s.next_run_at LIMIT $1
               FOR NO KEY UPDATE OF s, o SKIP LOCKED
           ), claimed AS (
               UPDATE saga SET version = version + 1, attempt = attempt + 1, lease_owner = $2,
                   lease_until = clock_timestamp() + make_interval(secs => $3),
                   next_run_at = clock_timestamp() + make_interval(secs => $3)
               FROM due WHERE saga.order_id = due.order_id
               RETURNING saga.*
           ), logged AS (
               UPDATE saga_step SET status = 'STARTED', attempts = claimed.attempt, ended_at = NULL
               FROM claimed WHERE saga_step.order_id = claimed.order_id AND saga_step.step = claimed.step
           )
           SELECT s.order_id AS "order_id!", s.version AS "fence!", s.step, s.attempt AS "attempt!",
                  s.payment AS "payment!", s.stock AS "stock!", s.refund_reason, s.refund_restock, s.refund_asked,
                  true AS "leased!", s.deadline_at AS "deadline_at!", s.attention, s.last_error, s.correlation_id,
                  s.traceparent, o.status AS "status!", o.sequence AS "sequence!", o.reason, o.terminal_at,
                  o.user_id AS "user_id!", o.total_minor AS "total_minor!", o.currency AS "currency!",
                  o.payment_method AS "payment_method!", o.has_coupon AS "has_coupon!"
           FROM claimed s JOIN due o USING (order_id)"#,
        limit,
        holder.name,
        holder.lease.as_secs_f64()
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(JobRow::into_job)
    .collect()
}

/// A saga as the save statement takes it.
#[derive(Serialize)]
struct SagaRow {
    order_id: Uuid,
    expected: i64,
    status: &'static str,
    public_status: String,
    sequence: i64,
    reason: Option<String>,
    terminal_at: Option<DateTime<Utc>>,
    step: Option<String>,
    attempt: u32,
    payment: String,
    stock: String,
    refund_reason: Option<String>,
    refund_restock: Option<bool>,
    refund_asked: Option<bool>,
    attention: Option<String>,
    last_error: Option<String>,
    leased: bool,
    wait_s: Option<f64>,
}

impl SagaRow {
    fn new(change: &Change<'_>, lease: Duration) -> Self {
        let saga = &change.job.saga;
        Self {
            order_id: saga.order_id.uuid(),
            expected: change.job.fence,
            status: saga.state.as_str(),
            public_status: saga.state.public(saga.cancel_reason).text(),
            sequence: saga.sequence,
            reason: saga.cancel_reason.map(Stored::text),
            terminal_at: saga.settled_at,
            step: saga.pending.map(Stored::text),
            attempt: saga.attempt,
            payment: saga.payment.text(),
            stock: saga.stock.text(),
            refund_reason: saga.refund.map(|refund| refund.reason.text()),
            refund_restock: saga.refund.map(|refund| refund.restock),
            refund_asked: saga.refund.map(|refund| refund.asked),
            attention: saga.attention.map(Stored::text),
            last_error: saga.last_error.clone(),
            leased: change.next == Next::Me,
            wait_s: match change.next {
                Next::Nobody => None,
                Next::Me => Some(lease.as_secs_f64()),
                Next::Anybody(wait) => Some(wait.as_secs_f64()),
            },
        }
    }
}

/// A history row as the statements take it.
#[derive(Serialize)]
pub(super) struct HistoryRow {
    order_id: Uuid,
    version: i64,
    from_status: Option<&'static str>,
    to_status: &'static str,
    step: String,
    public_status: String,
    cause: &'static str,
    at: DateTime<Utc>,
}

/// The history rows that effects ask for.
pub(super) fn history(order: OrderId, effects: &[Effect]) -> Vec<HistoryRow> {
    let row = |effect: &Effect| match effect {
        Effect::Record(transition) => Some(HistoryRow {
            order_id: order.uuid(),
            version: transition.sequence,
            from_status: transition.from.map(crate::domain::State::as_str),
            to_status: transition.to.as_str(),
            step: transition.step.text(),
            public_status: transition.status.text(),
            cause: transition.cause,
            at: transition.at,
        }),
        _ => None,
    };
    effects.iter().filter_map(row).collect()
}

/// A row of the step log as the statements take it.
#[derive(Serialize)]
pub(super) struct StepRow {
    order_id: Uuid,
    step: &'static str,
    kind: &'static str,
    status: &'static str,
    attempts: u32,
    response: Option<&'static str>,
}

/// The step log's rows that effects ask for, each step once, as it stands in the end.
pub(super) fn steps(saga: &Saga, effects: &[Effect]) -> Vec<StepRow> {
    let mut rows: Vec<StepRow> = Vec::new();
    for effect in effects {
        let (action, status, response) = match effect {
            Effect::Start(action) => (*action, "STARTED", None),
            Effect::End { action, outcome } => match outcome {
                Outcome::Done => (*action, "OK", None),
                Outcome::Refused => (*action, "REFUSED", Some("refused")),
                Outcome::Superseded => (*action, "REFUSED", Some("superseded")),
            },
            _ => continue,
        };
        rows.retain(|row| row.step != action.as_str());
        rows.push(StepRow {
            order_id: saga.order_id.uuid(),
            step: action.as_str(),
            kind: match action.kind() {
                ActionKind::Forward => "fwd",
                ActionKind::Compensation => "comp",
            },
            status,
            attempts: if status == "STARTED" { saga.attempt } else { 1 },
            response,
        });
    }
    rows
}

/// Saves sagas with their orders, history, step log and timers in one statement, in the caller's transaction; the
/// coupons of cancelled orders are given back by a second one. Answers which were saved; the
/// others were changed by somebody else since they were read, and nothing of them is written. An order stands in
/// `changes` once. Sagas are locked in the order of their ids, so that two saves can't wait for each other.
pub(crate) async fn save(
    conn: &mut PgConnection,
    holder: &Holder,
    changes: &[Change<'_>],
) -> Result<HashSet<OrderId>, sqlx::Error> {
    let mut sagas: Vec<_> = changes
        .iter()
        .map(|change| SagaRow::new(change, holder.lease))
        .collect();
    if bug!("no_compare_and_set") {
        for row in &mut sagas {
            let newest = lock(conn, OrderId::from_uuid(row.order_id)).await?;
            row.expected = newest.map_or(row.expected, |job| job.fence);
        }
    }
    let history: Vec<_> = changes
        .iter()
        .flat_map(|change| history(change.job.saga.order_id, change.effects))
        .collect();
    let steps: Vec<_> = changes
        .iter()
        .flat_map(|change| steps(&change.job.saga, change.effects))
        .collect();
    // Limits nothing: the planner takes a record set for 100 rows and would read all sagas, and a limit for few.
    let count = i64::try_from(sagas.len()).unwrap_or(i64::MAX);
    let won = sqlx::query_scalar!(
        r#"WITH change AS (
               SELECT * FROM jsonb_to_recordset($1) AS change (order_id uuid, expected bigint, status text,
                   public_status text, sequence bigint, reason text, terminal_at timestamptz, step text,
                   attempt integer, payment text, stock text, refund_reason text, refund_restock boolean,
                   refund_asked boolean, attention text, last_error text, leased boolean, wait_s float8)
               LIMIT $5
           ), locked AS (
               SELECT saga.order_id FROM saga JOIN change USING (order_id) WHERE saga.version = change.expected
               ORDER BY saga.order_id FOR UPDATE OF saga
           ), won AS (
               UPDATE saga SET version = saga.version + 1, step = change.step, attempt = change.attempt,
                   payment = change.payment, stock = change.stock, refund_reason = change.refund_reason,
                   refund_restock = change.refund_restock, refund_asked = change.refund_asked,
                   attention = change.attention, last_error = change.last_error,
                   lease_owner = CASE WHEN change.leased THEN $4 END,
                   lease_until = CASE WHEN change.leased
                       THEN clock_timestamp() + make_interval(secs => change.wait_s) END,
                   next_run_at = clock_timestamp() + make_interval(secs => change.wait_s)
               FROM change JOIN locked USING (order_id)
               WHERE saga.order_id = change.order_id AND saga.version = change.expected
               RETURNING saga.order_id
           ), moved AS (
               UPDATE orders SET status = change.status, public_status = change.public_status,
                   version = change.sequence, reason = change.reason, terminal_at = change.terminal_at
               FROM change JOIN won USING (order_id)
               WHERE orders.id = change.order_id AND orders.version <> change.sequence
           ), recorded AS (
               INSERT INTO order_history (order_id, version, from_status, to_status, step, public_status, cause, at)
               SELECT order_id, version, from_status, to_status, step, public_status, cause, at
               FROM jsonb_to_recordset($2) AS row (order_id uuid, version bigint, from_status text, to_status text,
                   step text, public_status text, cause text, at timestamptz) JOIN won USING (order_id)
           ), logged AS (
               INSERT INTO saga_step AS log (order_id, step, kind, status, attempts, response, started_at, ended_at)
               SELECT order_id, step, kind, status, attempts, response, clock_timestamp(),
                   CASE WHEN status <> 'STARTED' THEN clock_timestamp() END
               FROM jsonb_to_recordset($3) AS row (order_id uuid, step text, kind text, status text,
                   attempts integer, response text) JOIN won USING (order_id)
               ON CONFLICT (order_id, step) DO UPDATE SET status = EXCLUDED.status,
                   attempts = greatest(log.attempts, EXCLUDED.attempts), response = EXCLUDED.response,
                   ended_at = EXCLUDED.ended_at
           ), silenced AS (
               DELETE FROM saga_timer USING change JOIN won USING (order_id)
               WHERE saga_timer.order_id = change.order_id AND change.terminal_at IS NOT NULL
           )
           SELECT order_id FROM won"#,
        Json(&sagas) as _,
        Json(&history) as _,
        Json(&steps) as _,
        holder.name,
        count
    )
    .fetch_all(&mut *conn)
    .await?;
    let won: HashSet<_> = won.into_iter().map(OrderId::from_uuid).collect();
    let given_up: Vec<_> = changes
        .iter()
        .filter(|change| change.gives_coupon_back() && won.contains(&change.job.saga.order_id))
        .map(|change| change.job.saga.order_id.uuid())
        .collect();
    if !given_up.is_empty() {
        coupons::give_back(conn, &given_up).await?;
    }
    Ok(won)
}

/// Gives a lease back, so that anybody may go on at once. Nothing happens if it was lost already.
pub(crate) async fn release(conn: &mut PgConnection, order: OrderId, fence: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE saga SET version = version + 1, lease_owner = NULL, lease_until = NULL, next_run_at = clock_timestamp()
         WHERE order_id = $1 AND version = $2 AND step IS NOT NULL",
        order.uuid(),
        fence
    )
    .execute(conn)
    .await?;
    Ok(())
}
