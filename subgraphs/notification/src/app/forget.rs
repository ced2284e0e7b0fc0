//! Forgets what is too old to matter: notifications, and mails that were sent. Mails that were given up stay until
//! somebody has looked at them.

use std::time::Duration;

use pg_kit::in_batches;

use super::{App, AppError};
use crate::store;

const EVERY: Duration = Duration::from_hours(1);
/// How long people find what they were told.
const NOTIFICATIONS: Duration = Duration::from_hours(24 * 365);
/// How long it is known that a mail was sent. Longer than a repeat of its event can come (30 days).
const MAILS: Duration = Duration::from_hours(24 * 90);

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
        let old = event_bus::ids_older_than(&self.clock, NOTIFICATIONS);
        let notifications = |limit| store::notifications::forget(&self.workers, old, limit);
        let sent = event_bus::ids_older_than(&self.clock, MAILS);
        let mails = |limit| store::mails::forget(&self.workers, sent, limit);
        Ok(Forgotten {
            notifications: in_batches(notifications).await?,
            mails: in_batches(mails).await?,
        })
    }
}
