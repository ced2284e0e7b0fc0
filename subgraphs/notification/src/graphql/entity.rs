//! What notification adds to auth's users.

use async_graphql::{Context, ID, Object};
use contracts::{NotificationId, UserId};
use graphql_kit::page::{self, Page};
use graphql_kit::{ApiError, Result, require_user};

use super::loader::{PageOf, PreferencesOf, UnreadOf, load};
use super::types::{NotificationConnection, NotificationObject, NotificationPreference};
use crate::app::Slice;

/// Kind of the cursors of a user's notifications.
const LIST: &str = "user.notifications";

/// So many, as `Int` can say it.
pub(super) fn count(unread: i64) -> i32 {
    i32::try_from(unread).unwrap_or(i32::MAX)
}

/// A registered user; visible to themselves and to staff.
pub(crate) struct User {
    pub(crate) user: UserId,
}

/// A registered user; visible to themselves and to staff.
#[Object]
impl User {
    /// The user's id.
    pub(crate) async fn id(&self) -> ID {
        ID(self.user.to_string())
    }

    /// What they were told in the shop, newest first; for themselves and for staff.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Leave out what was read.", default = false)] unread_only: bool,
    ) -> Result<Option<NotificationConnection>> {
        self.guard(ctx)?;
        let args = page::parse::<NotificationId>(LIST, first, after)?;
        let slice = Slice {
            after: args.after,
            limit: args.limit(),
            unread_only,
        };
        let key = PageOf {
            user: self.user,
            slice,
        };
        let rows = load(ctx, key).await?.unwrap_or_default();
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), |told| told.id);
        Ok(Some(NotificationConnection(page.map(NotificationObject))))
    }

    /// How many notifications they have not read; for themselves and for staff.
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        self.guard(ctx)?;
        let unread = load(ctx, UnreadOf(self.user)).await?.unwrap_or_default();
        Ok(Some(count(unread)))
    }

    /// What they want to be told, for every kind and channel; for themselves and for staff.
    async fn notification_preferences(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<Vec<NotificationPreference>>> {
        self.guard(ctx)?;
        let said = load(ctx, PreferencesOf(self.user)).await?.unwrap_or_default();
        let all = said.all().map(|(kind, channel, enabled)| NotificationPreference {
            kind: kind.into(),
            channel: channel.into(),
            enabled,
        });
        Ok(Some(all.collect()))
    }
}

impl User {
    /// Lets the user themself and staff through.
    fn guard(&self, ctx: &Context<'_>) -> Result<()> {
        let viewer = require_user(ctx)?;
        if viewer.id == self.user || viewer.is_staff() {
            Ok(())
        } else {
            Err(ApiError::forbidden())
        }
    }
}
