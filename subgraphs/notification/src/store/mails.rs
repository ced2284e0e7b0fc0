//! Mails: written with their cause, claimed under a lease, their outcome kept by whoever claimed them last.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{EventId, MailId, OrderId, UserId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::text::Stored;
use super::{Parts, what};
use crate::domain::{Mail, MailState, Verdict};

struct Row {
    id: Uuid,
    user_id: Uuid,
    order_id: Uuid,
    kind: String,
    cancel_reason: Option<String>,
    amount_minor: Option<i64>,
    currency: Option<String>,
    state: String,
    attempts: i32,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_mail(self) -> Result<Mail, sqlx::Error> {
        Ok(Mail {
            id: MailId::from_uuid(self.id),
            user: UserId::from_uuid(self.user_id),
            order: OrderId::from_uuid(self.order_id),
            what: what(
                &self.kind,
                self.cancel_reason.as_deref(),
                self.amount_minor,
                self.currency.as_deref(),
            )?,
            state: Stored::read(&self.state)?,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            last_error: self.last_error,
            at: self.created_at,
            ended_at: self.ended_at,
        })
    }
}

/// A mail that is ours until its lease ends.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) mail: Mail,
    /// Whoever claims it after us has a higher one.
    claim: i64,
    pub(crate) correlation_id: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// What caused a mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub(crate) event: EventId,
    pub(crate) correlation_id: Option<&'a str>,
    pub(crate) traceparent: Option<&'a str>,
}

/// Writes a mail that is due at once; false if the event has made one of this kind before.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    cause: Cause<'_>,
    mail: &Mail,
) -> Result<bool, sqlx::Error> {
    let parts = Parts::of(&mail.what);
    let done = sqlx::query!(
        "INSERT INTO mail (id, event_id, user_id, order_id, kind, cancel_reason, amount_minor, currency, created_at,
             correlation_id, traceparent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (event_id, kind) DO NOTHING",
        mail.id.uuid(),
        cause.event.uuid(),
        mail.user.uuid(),
        mail.order.uuid(),
        parts.kind,
        parts.cancel_reason,
        parts.amount_minor,
        parts.currency,
        mail.at,
        cause.correlation_id,
        cause.traceparent
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Claims mails that are due and that nobody has, the longest due first. Each claim begins a try.
pub(crate) async fn claim(
    db: impl PgExecutor<'_>,
    limit: i64,
    lease: Duration,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows = sqlx::query!(
        "WITH due AS (
             SELECT id FROM mail
             WHERE state = 'PENDING' AND next_try_at <= statement_timestamp()
               AND (lease_until IS NULL OR lease_until < statement_timestamp())
             ORDER BY next_try_at LIMIT $1
             FOR UPDATE SKIP LOCKED
         )
         UPDATE mail SET lease_until = statement_timestamp() + make_interval(secs => $2), claims = claims + 1,
             attempts = attempts + 1
         FROM due WHERE mail.id = due.id
         RETURNING mail.id, user_id, order_id, kind, cancel_reason, amount_minor, currency, state, attempts,
             last_error, created_at, ended_at, claims, correlation_id, traceparent",
        limit,
        lease.as_secs_f64()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let mail = Row {
                id: row.id,
                user_id: row.user_id,
                order_id: row.order_id,
                kind: row.kind,
                cancel_reason: row.cancel_reason,
                amount_minor: row.amount_minor,
                currency: row.currency,
                state: row.state,
                attempts: row.attempts,
                last_error: row.last_error,
                created_at: row.created_at,
                ended_at: row.ended_at,
            };
            Ok(Claimed {
                mail: mail.into_mail()?,
                claim: row.claims,
                correlation_id: row.correlation_id,
                traceparent: row.traceparent,
            })
        })
        .collect()
}

/// Keeps what became of a claimed mail; false if somebody else has claimed it since, who then decides.
pub(crate) async fn settle(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    verdict: &Verdict,
) -> Result<bool, sqlx::Error> {
    let (state, after, reason, uncounted) = match verdict {
        Verdict::Sent => (MailState::Sent, Duration::ZERO, None, false),
        Verdict::Again {
            after,
            reason,
            counts,
        } => (MailState::Pending, *after, Some(reason.as_str()), !counts),
        Verdict::Dead { reason } => (MailState::Dead, Duration::ZERO, Some(reason.as_str()), false),
    };
    let done = sqlx::query!(
        "UPDATE mail SET state = $3, last_error = $5, lease_until = NULL,
             next_try_at = statement_timestamp() + make_interval(secs => $4),
             ended_at = CASE WHEN $3 <> 'PENDING' THEN statement_timestamp() END,
             attempts = attempts - CASE WHEN $6 THEN 1 ELSE 0 END
         WHERE id = $1 AND claims = $2 AND state = 'PENDING'",
        claimed.mail.id.uuid(),
        claimed.claim,
        state.text(),
        after.as_secs_f64(),
        reason,
        uncounted
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a mail that was given up due again, as if it had never been tried; false if it is not given up.
pub(crate) async fn revive(tx: &mut PgConnection, id: MailId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE mail SET state = 'PENDING', attempts = 0, next_try_at = statement_timestamp(), ended_at = NULL
         WHERE id = $1 AND state = 'DEAD'",
        id.uuid()
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A mail.
pub(crate) async fn find(db: impl PgExecutor<'_>, id: MailId) -> Result<Option<Mail>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT id, user_id, order_id, kind, cancel_reason, amount_minor, currency, state, attempts, last_error,
             created_at, ended_at
         FROM mail WHERE id = $1",
        id.uuid()
    )
    .fetch_optional(db)
    .await?
    .map(Row::into_mail)
    .transpose()
}

/// Mails that were given up, newest first.
pub(crate) async fn dead(
    db: impl PgExecutor<'_>,
    after: Option<MailId>,
    limit: i64,
) -> Result<Vec<Mail>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT id, user_id, order_id, kind, cancel_reason, amount_minor, currency, state, attempts, last_error,
             created_at, ended_at
         FROM mail WHERE state = 'DEAD' AND ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2",
        after.map(MailId::uuid),
        limit
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(Row::into_mail)
    .collect()
}

/// How mails stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Backlog {
    /// To be sent.
    pub(crate) pending: i64,
    /// Given up.
    pub(crate) dead: i64,
    /// How long the oldest has waited.
    pub(crate) oldest_s: f64,
}

/// Counts what waits and what was given up.
pub(crate) async fn backlog(db: impl PgExecutor<'_>) -> Result<Backlog, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE state = 'PENDING') AS "pending!",
                  count(*) FILTER (WHERE state = 'DEAD') AS "dead!",
                  coalesce(extract(epoch FROM statement_timestamp() - min(created_at)
                      FILTER (WHERE state = 'PENDING')), 0)::float8 AS "oldest_s!"
           FROM mail WHERE state <> 'SENT'"#
    )
    .fetch_one(db)
    .await?;
    Ok(Backlog {
        pending: row.pending,
        dead: row.dead,
        oldest_s: row.oldest_s,
    })
}

/// Deletes mails sent whose ids are below `before`, the oldest first; answers how many.
pub(crate) async fn forget(db: impl PgExecutor<'_>, before: Uuid, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM mail WHERE id IN (
             SELECT id FROM mail WHERE id < $1 AND state = 'SENT' ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
