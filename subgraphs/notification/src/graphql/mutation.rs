//! What changes notifications: guard, read the input, one use case, translate.

use async_graphql::{Context, Object, SimpleObject};
use graphql_kit::{Result, require_role, require_user};
use service_auth::Role;

use super::entity::User;
use super::fault;
use super::inputs::{MarkNotificationsReadInput, RetryNotificationMailInput, SetNotificationPreferenceInput};
use super::mail::NotificationMail;
use super::user_error::{NotificationErrorCode, NotificationUserError};
use crate::app::{App, Marked, Retried};

/// What was marked as read, or why nothing was.
#[derive(SimpleObject)]
pub(crate) struct MarkNotificationsReadPayload {
    /// You, with what is left unread.
    user: Option<User>,
    /// How many were not read before.
    marked_count: i32,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<NotificationUserError>,
}

/// What is told from now on.
#[derive(SimpleObject)]
pub(crate) struct SetNotificationPreferencePayload {
    /// You, with your preferences.
    user: Option<User>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<NotificationUserError>,
}

/// A mail that is tried again, or why it is not.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct RetryNotificationMailPayload {
    /// The mail; absent if nothing changed.
    mail: Option<NotificationMail>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<NotificationUserError>,
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Marks notifications of yours as read: those named, or all of them. Repeats are harmless.
    async fn mark_notifications_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: MarkNotificationsReadInput,
    ) -> Result<MarkNotificationsReadPayload> {
        let viewer = require_user(ctx)?.id;
        let ids = input.parse()?;
        let app = ctx.data_unchecked::<App>();
        let (marked, errors) = match app.mark_read(viewer, ids).await.map_err(fault)? {
            Marked::Done(marked) => (marked, Vec::new()),
            Marked::Unknown => {
                let error = NotificationUserError::new(
                    NotificationErrorCode::NotFound,
                    "One of these notifications is not there",
                );
                (0, vec![error.at(&["input", "notificationIds"])])
            }
        };
        Ok(MarkNotificationsReadPayload {
            user: Some(User { user: viewer }),
            marked_count: i32::try_from(marked).unwrap_or(i32::MAX),
            user_errors: errors,
        })
    }

    /// Sets whether a kind of notification is told to you by a channel, from now on.
    async fn set_notification_preference(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, how, and whether.")] input: SetNotificationPreferenceInput,
    ) -> Result<SetNotificationPreferencePayload> {
        let viewer = require_user(ctx)?.id;
        let app = ctx.data_unchecked::<App>();
        app.set_preference(viewer, input.kind.into(), input.channel.into(), input.enabled)
            .await
            .map_err(fault)?;
        Ok(SetNotificationPreferencePayload {
            user: Some(User { user: viewer }),
            user_errors: Vec::new(),
        })
    }

    /// Tries a mail again that was given up, with all its tries before it. For administrators.
    #[graphql(tag = "internal")]
    async fn retry_notification_mail(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RetryNotificationMailInput,
    ) -> Result<RetryNotificationMailPayload> {
        let admin = require_role(ctx, Role::Admin)?.id;
        let id = input.parse()?;
        let app = ctx.data_unchecked::<App>();
        let (code, why) = match app.retry_mail(id, admin).await.map_err(fault)? {
            Retried::Done => {
                let mail = app.mail(id).await.map_err(fault)?;
                return Ok(RetryNotificationMailPayload {
                    mail: mail.map(NotificationMail),
                    user_errors: Vec::new(),
                });
            }
            Retried::Unknown => (NotificationErrorCode::NotFound, "There is no such mail"),
            Retried::NotDead => (NotificationErrorCode::InvalidState, "This mail is not given up"),
        };
        Ok(RetryNotificationMailPayload {
            mail: None,
            user_errors: vec![NotificationUserError::new(code, why).at(&["input", "mailId"])],
        })
    }
}
