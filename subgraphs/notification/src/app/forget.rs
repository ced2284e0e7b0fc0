//! Forgets what is too old to matter: notifications, and mails that were sent. Mails that were given up stay until
//! somebody has looked at them.

use std::time::Duration;

use super::{App, AppError};
use crate::store;

const EVERY: Duration = Duration::from_hours(1);
/// How long people find what they were told.
const NOTIFICATIONS: Duration = Duration::from_hours(24 * 365);
/// How long it is known that a mail was sent. Longer than a repeat of its event can come (30 days).
const MAILS: Duration = Duration::from_hours(24 * 90);
/// Rows deleted at a time, so that no lock is held for long.
const BATCH: i64 = 1_000;

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Notifications.
    pub notifications: u64,
    /// Mails.
    pub mails: u64,
}

impl App {
    pub(super) async fn forget_forever(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.host.shutdown.cancelled() => return,
            }
            match self.forget().await {
                Ok(gone) => tracing::debug!(gone.notifications, gone.mails, "forgot what is old"),
                Err(error) => tracing::warn!(%error, "can't forget what is old"),
            }
        }
    }

    /// Forgets everything that is old by now.
    pub async fn forget(&self) -> Result<Forgotten, AppError> {
        let mut gone = Forgotten::default();
        let before = event_bus::ids_older_than(&self.clock, NOTIFICATIONS);
        loop {
            let deleted = store::notifications::forget(&self.workers, before, BATCH).await?;
            gone.notifications += deleted;
            if deleted < BATCH.unsigned_abs() {
                break;
            }
        }
        let before = event_bus::ids_older_than(&self.clock, MAILS);
        loop {
            let deleted = store::mails::forget(&self.workers, before, BATCH).await?;
            gone.mails += deleted;
            if deleted < BATCH.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
