//! Forgets what nobody asks for any more: old payloads and deliveries, expired secrets, idempotency keys.

use std::time::Duration;

use super::App;
use crate::store;

const EVERY: Duration = Duration::from_hours(1);
const KEY_DAYS: i32 = 30;
const BATCH: i64 = 1000;

impl App {
    pub(super) async fn prune_forever(self) {
        while self.pause(EVERY).await {
            if let Err(error) = self.prune().await {
                tracing::warn!(%error, "can't forget what is old");
            }
        }
    }

    /// One pass, in small batches; tells how many deliveries and payloads went.
    pub async fn prune(&self) -> Result<(u64, u64), sqlx::Error> {
        let (mut deliveries, mut payloads) = (0, 0);
        let full = BATCH.unsigned_abs();
        let keep = self.policy.keep;
        loop {
            let gone = store::deliveries::prune(&self.workers, keep, BATCH).await?;
            deliveries += gone;
            if gone < full {
                break;
            }
        }
        loop {
            let gone = store::payloads::prune(&self.workers, keep, BATCH).await?;
            payloads += gone;
            if gone < full {
                break;
            }
        }
        store::secrets::prune(&self.workers).await?;
        let mut conn = self.workers.acquire().await?;
        while pg_kit::idempotency::purge(&mut conn, KEY_DAYS, BATCH).await? == full {}
        Ok((deliveries, payloads))
    }
}
