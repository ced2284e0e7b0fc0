//! Forget idempotency keys that nobody repeats any more.

use crate::App;
use crate::store::{During, StoreError};

/// Forgets old keys; answers how many.
pub async fn forget_keys(app: &App) -> Result<u64, StoreError> {
    let forgotten = pg_kit::idempotency::forget(&app.pool).await;
    forgotten.during("forget idempotency keys")
}
