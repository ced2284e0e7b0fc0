//! What auth does by itself: looks at its key folder, and forgets sessions long over.

use std::time::Duration;

use chrono::TimeDelta;
use service_kit::Host;

use super::Error;
use crate::App;
use crate::store::sessions;

const KEYS_EVERY: Duration = Duration::from_secs(10);
const SESSIONS_EVERY: Duration = Duration::from_hours(1);
/// Kept for a while after their end, for questions about who was logged in.
const KEEP: TimeDelta = TimeDelta::days(30);

/// Takes up new and withdrawn signing keys, and the ends of sessions, without a restart.
pub(crate) async fn keep_keys_fresh(app: App, host: Host) {
    while host
        .shutdown
        .run_until_cancelled(tokio::time::sleep(KEYS_EVERY))
        .await
        .is_some()
    {
        if let Err(error) = app.refresh_key_set().await {
            tracing::error!(%error, "signing keys can't be read again, the present ones stay");
        }
    }
}

/// Deletes old sessions in batches.
pub(crate) async fn keep_sessions_few(app: App, host: Host) {
    while host
        .shutdown
        .run_until_cancelled(tokio::time::sleep(SESSIONS_EVERY))
        .await
        .is_some()
    {
        if let Err(error) = purge_sessions(&app).await {
            tracing::warn!(%error, "old sessions could not be deleted");
        }
    }
}

/// Deletes all sessions that ended long ago; tells how many.
pub(crate) async fn purge_sessions(app: &App) -> Result<u64, Error> {
    let before = app.clock.now() - KEEP;
    Ok(pg_kit::in_batches(|limit| sessions::purge(&app.pool, before, limit)).await?)
}
