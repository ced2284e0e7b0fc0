//! What mutations take, read into what the use cases take.

use async_graphql::{ID, InputObject};
use contracts::{MailId, NotificationId};
use graphql_kit::{ApiError, Result, parse_id};

use super::types::{NotificationChannel, NotificationKind};

/// Most notifications that one request marks.
const MAX_IDS: usize = 100;

/// Which notifications were read.
#[derive(InputObject)]
pub(crate) struct MarkNotificationsReadInput {
    /// These, at most 100 of your own; all of yours if absent.
    notification_ids: Option<Vec<ID>>,
}

impl MarkNotificationsReadInput {
    /// Each id once; `None` for all.
    pub(super) fn parse(self) -> Result<Option<Vec<NotificationId>>> {
        let Some(ids) = self.notification_ids else {
            return Ok(None);
        };
        if ids.len() > MAX_IDS {
            let why = format!("at most {MAX_IDS} notifications");
            return Err(ApiError::bad_input(why).at(&["input", "notificationIds"]));
        }
        let mut parsed = ids
            .iter()
            .map(|id| {
                parse_id(id, "notificationIds")
                    .map_err(|error: ApiError| error.at(&["input", "notificationIds"]))
            })
            .collect::<Result<Vec<NotificationId>>>()?;
        parsed.sort_unstable();
        parsed.dedup();
        Ok(Some(parsed))
    }
}

/// What you want to be told.
#[derive(InputObject)]
pub(crate) struct SetNotificationPreferenceInput {
    /// What is, or is not, told.
    pub(super) kind: NotificationKind,
    /// How.
    pub(super) channel: NotificationChannel,
    /// Whether it is told from now on.
    pub(super) enabled: bool,
}

/// Which mail to try again.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RetryNotificationMailInput {
    /// A mail that was given up.
    mail_id: ID,
}

impl RetryNotificationMailInput {
    pub(super) fn parse(&self) -> Result<MailId> {
        parse_id(&self.mail_id, "mailId").map_err(|error: ApiError| error.at(&["input", "mailId"]))
    }
}
