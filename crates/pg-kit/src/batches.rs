//! Deleting much in small pieces, so that no lock is held for long.

use std::future::Future;

/// Rows at a time.
const BATCH: i64 = 1_000;

/// Deletes until a batch comes out smaller than it might be; tells how many rows went. `delete` is given the most
/// rows it may delete, and tells how many it has.
pub async fn in_batches<F, Fut, E>(mut delete: F) -> Result<u64, E>
where
    F: FnMut(i64) -> Fut,
    Fut: Future<Output = Result<u64, E>>,
{
    let mut total = 0;
    loop {
        let deleted = delete(BATCH).await?;
        total += deleted;
        if deleted < BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}
