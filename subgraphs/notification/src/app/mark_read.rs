//! Marks notifications as read.

use contracts::{NotificationId, UserId};

use super::{App, AppError};
use crate::store;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    /// So many were not read before.
    Done(u64),
    /// One of them is not there, or is somebody else's. Nothing was changed.
    Unknown,
}

impl App {
    /// Marks these of the user's, or all of them, as read. Repeats are harmless.
    pub(crate) async fn mark_read(
        &self,
        user: UserId,
        ids: Option<Vec<NotificationId>>,
    ) -> Result<Marked, AppError> {
        let (pool, now) = (self.requests.clone(), self.now());
        self.finish(async move {
            let mut tx = pool.begin().await?;
            if let Some(ids) = &ids
                && store::notifications::owned(&mut tx, user, ids).await?
                    != i64::try_from(ids.len()).unwrap_or(i64::MAX)
            {
                tx.rollback().await?;
                return Ok(Marked::Unknown);
            }
            let marked = store::notifications::mark_read(&mut tx, user, ids.as_deref(), now).await?;
            tx.commit().await?;
            Ok(Marked::Done(marked))
        })
        .await
    }
}
