//! Users in PostgreSQL.

use chrono::{DateTime, Utc};
use contracts::UserId;
use service_auth::{Role, Roles};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::User;

struct Row {
    id: Uuid,
    email: String,
    display_name: String,
    roles: Vec<String>,
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            display_name: row.display_name,
            // The column's check allows nothing else.
            roles: row.roles.iter().filter_map(|role| role.parse().ok()).collect(),
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        }
    }
}

/// A user with what proves their password.
pub(crate) struct Credentials {
    pub(crate) user: User,
    pub(crate) password_hash: String,
}

fn names(roles: Roles) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

/// Adds a user; false when the address is taken.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    user: &User,
    email_key: &str,
    password_hash: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO app_user (id, email, email_key, display_name, password_hash, roles, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email_key) DO NOTHING",
        user.id.uuid(),
        user.email,
        email_key,
        user.display_name,
        password_hash,
        &names(user.roles),
        user.created_at,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The user with this address.
pub(crate) async fn credentials(pool: &PgPool, email_key: &str) -> Result<Option<Credentials>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT id, email, display_name, roles, created_at, disabled_at, password_hash FROM app_user
         WHERE email_key = $1",
        email_key
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Credentials {
        user: Row {
            id: row.id,
            email: row.email,
            display_name: row.display_name,
            roles: row.roles,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        }
        .into(),
        password_hash: row.password_hash,
    }))
}

/// The compared form of a user's address.
pub(crate) async fn email_key(pool: &PgPool, id: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("SELECT email_key FROM app_user WHERE id = $1", id.uuid())
        .fetch_optional(pool)
        .await
}

/// Holds the user's row until the transaction ends, if the password is still the one with this hash and nobody
/// disabled the user.
pub(crate) async fn lock_if_password(
    tx: &mut PgConnection,
    id: UserId,
    password_hash: &str,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM app_user WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR NO KEY UPDATE",
        id.uuid(),
        password_hash
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}

/// Replaces the hash of the password.
pub(crate) async fn set_password(
    tx: &mut PgConnection,
    id: UserId,
    password_hash: &str,
) -> Result<(), sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE app_user SET password_hash = $2 WHERE id = $1",
        id.uuid(),
        password_hash
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// The users with these ids, in one statement.
pub(crate) async fn by_ids(pool: &PgPool, ids: &[UserId]) -> Result<Vec<User>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, email, display_name, roles, created_at, disabled_at FROM app_user WHERE id = ANY($1)",
        &ids
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Users newest first (ids are ordered by time), below `after`, whose address or name contains `search`.
pub(crate) async fn page(
    pool: &PgPool,
    after: Option<UserId>,
    search: Option<&str>,
    limit: i64,
) -> Result<Vec<User>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, email, display_name, roles, created_at, disabled_at FROM app_user
         WHERE ($1::uuid IS NULL OR id < $1)
           AND ($2::text IS NULL OR strpos(email_key, lower($2)) > 0 OR strpos(lower(display_name), lower($2)) > 0)
         ORDER BY id DESC LIMIT $3",
        after.map(UserId::uuid),
        search,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Holds the row of every administrator who can sign in until the transaction ends, so that none of two can remove the other at once.
pub(crate) async fn lock_admins(tx: &mut PgConnection) -> Result<Vec<UserId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM app_user WHERE $1 = ANY(roles) AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE",
        Role::Admin.as_str()
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(UserId::from_uuid).collect())
}

/// Replaces a user's roles; `None` when there is no such user.
pub(crate) async fn set_roles(
    tx: &mut PgConnection,
    id: UserId,
    roles: Roles,
) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "UPDATE app_user SET roles = $2 WHERE id = $1
         RETURNING id, email, display_name, roles, created_at, disabled_at",
        id.uuid(),
        &names(roles)
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Into::into))
}

/// Marks a user as disabled since then, or as enabled; a disabled one keeps the first instant. `None` when there is
/// no such user.
pub(crate) async fn set_disabled(
    tx: &mut PgConnection,
    id: UserId,
    at: Option<DateTime<Utc>>,
) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "UPDATE app_user SET disabled_at = CASE WHEN $2::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $2) END
         WHERE id = $1 RETURNING id, email, display_name, roles, created_at, disabled_at",
        id.uuid(),
        at
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Into::into))
}
