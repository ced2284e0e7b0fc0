//! What people want to be told.

use std::collections::HashMap;

use contracts::UserId;
use contracts::notification::NotificationKind;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::text::Stored;
use crate::domain::{Channel, Preferences};

/// What these users want; who said nothing is left out.
pub(crate) async fn of_users(
    db: impl PgExecutor<'_>,
    users: &[UserId],
) -> Result<HashMap<UserId, Preferences>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT user_id, kind, channel, enabled FROM preference WHERE user_id = ANY($1)",
        &ids
    )
    .fetch_all(db)
    .await?;
    let mut said: HashMap<UserId, Vec<(NotificationKind, Channel, bool)>> = HashMap::new();
    for row in rows {
        let entry = (Stored::read(&row.kind)?, Stored::read(&row.channel)?, row.enabled);
        said.entry(UserId::from_uuid(row.user_id))
            .or_default()
            .push(entry);
    }
    Ok(said
        .into_iter()
        .map(|(user, said)| (user, Preferences::new(said)))
        .collect())
}

/// Keeps what a user said last.
pub(crate) async fn set(
    tx: &mut PgConnection,
    user: UserId,
    kind: NotificationKind,
    channel: Channel,
    enabled: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO preference (user_id, kind, channel, enabled) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, kind, channel) DO UPDATE SET enabled = excluded.enabled",
        user.uuid(),
        kind.text(),
        channel.text(),
        enabled
    )
    .execute(tx)
    .await?;
    Ok(())
}
