//! Notifications as they are written.

use async_graphql::Context;
use futures::stream::{Stream, StreamExt};
use graphql_kit::{Result, require_user};

use super::entity::count;
use super::fault;
use super::types::NotificationObject;
use crate::app::App;

/// The root of subscriptions.
pub struct Subscription;

#[async_graphql::Subscription]
impl Subscription {
    /// Your notifications from now on, each once. What was written before, or while you were away, is in
    /// `User.notifications`: subscribe first, then read that. `unreadNotificationCount` says when it listens.
    async fn notification_received(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<NotificationObject>> + use<>> {
        let viewer = require_user(ctx)?.id;
        let told = ctx.data_unchecked::<App>().watch(viewer).await.map_err(fault)?;
        Ok(told.map(|told| told.map(NotificationObject).map_err(fault)))
    }

    /// How many notifications you have not read: at once, as soon as it listens, and again whenever one comes. A list
    /// that is read after a number has all that it counts.
    async fn unread_notification_count(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<i32>> + use<>> {
        let viewer = require_user(ctx)?.id;
        let unread = ctx.data_unchecked::<App>().watch_unread(viewer);
        Ok(unread.map(|unread| unread.map(count).map_err(fault)))
    }
}
