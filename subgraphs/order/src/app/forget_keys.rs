//! Forgets idempotency keys that nobody sends again.

use std::time::Duration;

use super::App;

const EVERY: Duration = Duration::from_hours(1);
const KEY_DAYS: i32 = 30;
const BATCH: i64 = 1000;

impl App {
    pub(super) async fn forget_keys_forever(self) {
        let never = tokio::sync::Notify::new();
        while self.pause(&never, EVERY).await {
            if let Err(error) = self.forget_keys().await {
                tracing::warn!(%error, "can't forget old keys");
            }
        }
    }

    async fn forget_keys(&self) -> Result<(), sqlx::Error> {
        let mut conn = self.workers.acquire().await?;
        while pg_kit::idempotency::purge(&mut conn, KEY_DAYS, BATCH).await? == BATCH.unsigned_abs() {}
        Ok(())
    }
}
