//! Sessions and the hashes of their refresh tokens in PostgreSQL.

use chrono::{DateTime, Utc};
use contracts::{SessionId, UserId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Why a session was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Logout,
    Everywhere,
    Password,
    Reuse,
    Ended,
    Disabled,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "LOGOUT",
            Self::Everywhere => "EVERYWHERE",
            Self::Password => "PASSWORD",
            Self::Reuse => "REUSE",
            Self::Ended => "ENDED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// A session's row, held.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) rotation_key: Vec<u8>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) revoke_reason: Option<String>,
}

impl Session {
    /// Whether it was ended because one of its tokens came twice.
    pub(crate) fn ended_by_reuse(&self) -> bool {
        self.revoke_reason.as_deref() == Some(Reason::Reuse.as_str())
    }
}

/// Adds a session.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    id: SessionId,
    user: UserId,
    rotation_key: &[u8; 32],
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO session (id, user_id, rotation_key, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        id.uuid(),
        user.uuid(),
        rotation_key.as_slice(),
        created_at,
        expires_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds a token to a session.
pub(crate) async fn insert_token(
    tx: &mut PgConnection,
    hash: &[u8; 32],
    session: SessionId,
    issued_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO refresh_token (hash, session_id, issued_at) VALUES ($1, $2, $3)",
        hash.as_slice(),
        session.uuid(),
        issued_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The session of a token, its row held until the transaction ends: refreshes of one session go one by one.
///
/// Two statements, because what a lock had to wait for would be missing from the first one's snapshot.
pub(crate) async fn lock_by_token(
    tx: &mut PgConnection,
    hash: &[u8; 32],
) -> Result<Option<Session>, sqlx::Error> {
    let id: Option<Uuid> = sqlx::query_scalar!(
        "SELECT session_id FROM refresh_token WHERE hash = $1",
        hash.as_slice()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(id) = id else { return Ok(None) };
    let row = sqlx::query!(
        "SELECT user_id, rotation_key, expires_at, revoke_reason FROM session WHERE id = $1 FOR NO KEY UPDATE",
        id
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| Session {
        id: SessionId::from_uuid(id),
        user_id: UserId::from_uuid(row.user_id),
        rotation_key: row.rotation_key,
        expires_at: row.expires_at,
        revoke_reason: row.revoke_reason,
    }))
}

/// When a token was used; outer `None` when there is no such token.
pub(crate) async fn used_at(
    tx: &mut PgConnection,
    hash: &[u8; 32],
) -> Result<Option<Option<DateTime<Utc>>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT used_at FROM refresh_token WHERE hash = $1",
        hash.as_slice()
    )
    .fetch_optional(tx)
    .await
}

/// Marks a token as used, once.
pub(crate) async fn mark_used(
    tx: &mut PgConnection,
    hash: &[u8; 32],
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE refresh_token SET used_at = $2 WHERE hash = $1 AND used_at IS NULL",
        hash.as_slice(),
        at
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// Ends a session; ending it again changes nothing.
pub(crate) async fn revoke(
    tx: &mut PgConnection,
    id: SessionId,
    at: DateTime<Utc>,
    reason: Reason,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE session SET revoked_at = $2, revoke_reason = $3 WHERE id = $1 AND revoked_at IS NULL",
        id.uuid(),
        at,
        reason.as_str()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends all sessions of a user.
pub(crate) async fn revoke_all(
    tx: &mut PgConnection,
    user: UserId,
    at: DateTime<Utc>,
    reason: Reason,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE session SET revoked_at = $2, revoke_reason = $3 WHERE user_id = $1 AND revoked_at IS NULL",
        user.uuid(),
        at,
        reason.as_str()
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Whether an access token's session still stands.
pub(crate) async fn is_live(
    pool: &PgPool,
    id: SessionId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM session WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3",
        id.uuid(),
        user.uuid(),
        now
    )
    .fetch_optional(pool)
    .await?;
    Ok(found.is_some())
}

/// A session as its user sees it.
pub(crate) struct LiveSession {
    pub(crate) id: SessionId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) refreshed_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A user's sessions that have not ended, newest first.
pub(crate) async fn live(
    pool: &PgPool,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<LiveSession>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT s.id, s.created_at, s.expires_at, max(t.issued_at) AS "refreshed_at!"
           FROM session s JOIN refresh_token t ON t.session_id = s.id
           WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2
           GROUP BY s.id ORDER BY s.created_at DESC, s.id DESC LIMIT 200"#,
        user.uuid(),
        now
    )
    .fetch_all(pool)
    .await?;
    let live = rows.into_iter().map(|row| LiveSession {
        id: SessionId::from_uuid(row.id),
        created_at: row.created_at,
        refreshed_at: row.refreshed_at,
        expires_at: row.expires_at,
    });
    Ok(live.collect())
}

/// Sessions ended before their time after `since`, the newest first.
pub(crate) async fn ended_since(
    pool: &PgPool,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM session WHERE revoked_at > $1 ORDER BY revoked_at DESC LIMIT $2",
        since,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Deletes at most `limit` sessions that ended before `before`; tells how many.
pub(crate) async fn purge(pool: &PgPool, before: DateTime<Utc>, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM session WHERE id IN (
             SELECT id FROM session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
