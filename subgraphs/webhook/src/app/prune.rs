//! Forgets what nobody asks for any more: old payloads and deliveries, expired secrets, idempotency keys.

use std::time::Duration;

use pg_kit::{idempotency, in_batches};

use super::App;
use crate::store;

const EVERY: Duration = Duration::from_hours(1);

impl App {
    pub(super) async fn prune_forever(self) {
        while self.pause(EVERY).await {
            if let Err(error) = self.prune().await.map_err(pg_kit::count_error) {
                tracing::warn!(%error, "can't forget what is old");
            }
        }
    }

    /// One pass, in small batches; tells how many deliveries and payloads went.
    pub async fn prune(&self) -> Result<(u64, u64), sqlx::Error> {
        let keep = self.policy.keep;
        let deliveries = |limit| store::deliveries::prune(&self.workers, keep, limit);
        let payloads = |limit| store::payloads::prune(&self.workers, keep, limit);
        // A payload goes once no delivery needs it.
        let gone = (in_batches(deliveries).await?, in_batches(payloads).await?);
        store::secrets::prune(&self.workers).await?;
        idempotency::forget(&self.workers).await?;
        Ok(gone)
    }
}
