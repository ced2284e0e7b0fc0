//! The roots: the staff's list of mails, and the entities that the router asks for.

use async_graphql::{Context, ID, Object};
use contracts::{MailId, UserId};
use graphql_kit::page::{self, Page};
use graphql_kit::{Result, require_staff};

use super::entity::User;
use super::fault;
use super::mail::{NotificationMail, NotificationMailConnection};
use crate::app::App;

const LIST: &str = "mails.dead";

/// The root of queries.
pub struct Query;

#[Object]
impl Query {
    /// Mails that were given up, newest first, each with the reason. For staff.
    #[graphql(tag = "internal")]
    async fn dead_notification_mails(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<NotificationMailConnection> {
        require_staff(ctx)?;
        let args = page::parse::<MailId>(LIST, first, after)?;
        let app = ctx.data_unchecked::<App>();
        let rows = app.dead_mails(args.after, args.limit()).await.map_err(fault)?;
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), |mail| mail.id);
        Ok(NotificationMailConnection(page.map(NotificationMail)))
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        let user: UserId = id.parse().ok()?;
        Some(User { user })
    }
}
