//! Keeps what somebody wants to be told.

use contracts::UserId;
use contracts::notification::NotificationKind;

use super::{App, AppError};
use crate::domain::Channel;
use crate::store;

impl App {
    /// From now on a kind is, or is not, told to the user by a channel. What was written before stays.
    pub(crate) async fn set_preference(
        &self,
        user: UserId,
        kind: NotificationKind,
        channel: Channel,
        enabled: bool,
    ) -> Result<(), AppError> {
        let pool = self.requests.clone();
        self.finish(async move {
            let mut tx = pool.begin().await?;
            store::preferences::set(&mut tx, user, kind, channel, enabled).await?;
            tx.commit().await
        })
        .await
    }
}
