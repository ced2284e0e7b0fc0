//! Reads, in batches.

use std::collections::HashMap;

use contracts::{MailId, UserId};

use super::{App, AppError};
use crate::domain::{Mail, Notification, Preferences};
use crate::store;
use crate::store::notifications::Slice;

impl App {
    /// A page of each user's notifications, newest first.
    pub(crate) async fn notifications_of(
        &self,
        users: &[UserId],
        slice: Slice,
    ) -> Result<HashMap<UserId, Vec<Notification>>, AppError> {
        Ok(store::notifications::of_users(&self.requests, users, slice).await?)
    }

    /// How many notifications each user has not read; who has none is left out.
    pub(crate) async fn unread_of(&self, users: &[UserId]) -> Result<HashMap<UserId, i64>, AppError> {
        Ok(store::notifications::unread_of(&self.requests, users).await?)
    }

    /// What each user wants to be told; who said nothing is left out.
    pub(crate) async fn preferences_of(
        &self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Preferences>, AppError> {
        Ok(store::preferences::of_users(&self.requests, users).await?)
    }

    /// Mails that were given up, newest first.
    pub(crate) async fn dead_mails(&self, after: Option<MailId>, limit: i64) -> Result<Vec<Mail>, AppError> {
        Ok(store::mails::dead(&self.requests, after, limit).await?)
    }

    /// A mail.
    pub(crate) async fn mail(&self, id: MailId) -> Result<Option<Mail>, AppError> {
        Ok(store::mails::find(&self.requests, id).await?)
    }
}
