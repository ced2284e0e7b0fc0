//! What people were told in the shop.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::{EventId, NotificationId, OrderId, UserId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{Parts, what};
use crate::domain::Notification;

struct Row {
    id: Uuid,
    user_id: Uuid,
    order_id: Uuid,
    kind: String,
    cancel_reason: Option<String>,
    amount_minor: Option<i64>,
    currency: Option<String>,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_notification(self) -> Result<Notification, sqlx::Error> {
        Ok(Notification {
            id: NotificationId::from_uuid(self.id),
            user: UserId::from_uuid(self.user_id),
            order: OrderId::from_uuid(self.order_id),
            what: what(
                &self.kind,
                self.cancel_reason.as_deref(),
                self.amount_minor,
                self.currency.as_deref(),
            )?,
            at: self.created_at,
            read_at: self.read_at,
        })
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slice {
    /// Below this one.
    pub(crate) after: Option<NotificationId>,
    /// At most so many.
    pub(crate) limit: i64,
    /// Leave out what was read.
    pub(crate) unread_only: bool,
}

/// Writes a notification and answers its place among all; `None` if the event has told of this kind before.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    event: EventId,
    notification: &Notification,
) -> Result<Option<i64>, sqlx::Error> {
    let parts = Parts::of(&notification.what);
    sqlx::query_scalar!(
        "INSERT INTO notification (id, event_id, user_id, order_id, kind, cancel_reason, amount_minor, currency,
             created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (event_id, kind) DO NOTHING
         RETURNING sequence",
        notification.id.uuid(),
        event.uuid(),
        notification.user.uuid(),
        notification.order.uuid(),
        parts.kind,
        parts.cancel_reason,
        parts.amount_minor,
        parts.currency,
        notification.at
    )
    .fetch_optional(tx)
    .await
}

/// A page of each user's notifications, newest first; users without any are left out.
pub(crate) async fn of_users(
    db: impl PgExecutor<'_>,
    users: &[UserId],
    slice: Slice,
) -> Result<HashMap<UserId, Vec<Notification>>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT n.id AS "id!", n.user_id AS "user_id!", n.order_id AS "order_id!", n.kind AS "kind!",
                  n.cancel_reason, n.amount_minor, n.currency, n.created_at AS "created_at!", n.read_at
           FROM unnest($1::uuid[]) AS reader (id)
           CROSS JOIN LATERAL (
               SELECT * FROM notification
               WHERE user_id = reader.id AND ($2::uuid IS NULL OR id < $2) AND (NOT $3 OR read_at IS NULL)
               ORDER BY id DESC LIMIT $4
           ) AS n
           ORDER BY n.user_id, n.id DESC"#,
        &ids,
        slice.after.map(NotificationId::uuid),
        slice.unread_only,
        slice.limit
    )
    .fetch_all(db)
    .await?;
    let mut pages: HashMap<UserId, Vec<Notification>> = HashMap::new();
    for row in rows {
        let notification = row.into_notification()?;
        pages.entry(notification.user).or_default().push(notification);
    }
    Ok(pages)
}

/// How many notifications each user has not read; users without any are left out.
pub(crate) async fn unread_of(
    db: impl PgExecutor<'_>,
    users: &[UserId],
) -> Result<HashMap<UserId, i64>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT user_id, count(*) AS "unread!" FROM notification
           WHERE user_id = ANY($1) AND read_at IS NULL GROUP BY user_id"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (UserId::from_uuid(row.user_id), row.unread))
        .collect())
}

/// How many of these are the user's.
pub(crate) async fn owned(
    tx: &mut PgConnection,
    user: UserId,
    ids: &[NotificationId],
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "owned!" FROM notification WHERE user_id = $1 AND id = ANY($2)"#,
        user.uuid(),
        &uuids(ids)
    )
    .fetch_one(tx)
    .await
}

/// Marks these of the user's as read, or all if none are named; answers how many were not before.
pub(crate) async fn mark_read(
    tx: &mut PgConnection,
    user: UserId,
    ids: Option<&[NotificationId]>,
    at: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let ids = ids.map(uuids);
    let done = sqlx::query!(
        "UPDATE notification SET read_at = $3
         WHERE user_id = $1 AND read_at IS NULL AND ($2::uuid[] IS NULL OR id = ANY($2))",
        user.uuid(),
        ids.as_deref(),
        at
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

fn uuids(ids: &[NotificationId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// Deletes notifications whose ids are below `before`, the oldest first; answers how many.
pub(crate) async fn forget(db: impl PgExecutor<'_>, before: Uuid, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM notification WHERE id IN (
             SELECT id FROM notification WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
