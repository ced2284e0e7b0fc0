//! Forget idempotency keys that nobody repeats any more.

use crate::App;
use crate::store::{During, StoreError};

/// Days for which a repeat with the same key answers the same.
const KEY_DAYS: i32 = 30;
const BATCH: i64 = 1_000;

/// Forgets old keys; answers how many.
pub async fn forget_keys(app: &App) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    loop {
        let mut connection = app.pool.acquire().await.during("reach the database")?;
        let purged = pg_kit::idempotency::purge(&mut connection, KEY_DAYS, BATCH).await;
        let batch = purged.during("forget idempotency keys")?;
        forgotten += batch;
        if batch < BATCH.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}
