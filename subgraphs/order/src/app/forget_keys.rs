//! Forgets idempotency keys that nobody sends again.

use std::time::Duration;

use super::App;

const EVERY: Duration = Duration::from_hours(1);

impl App {
    pub(super) async fn forget_keys_forever(self) {
        let never = tokio::sync::Notify::new();
        while self.pause(&never, EVERY).await {
            let forgotten = pg_kit::idempotency::forget(&self.workers).await;
            if let Err(error) = forgotten.map_err(pg_kit::count_error) {
                tracing::warn!(%error, "can't forget old keys");
            }
        }
    }
}
