//! The root of queries: endpoints, for administrators.

use async_graphql::{Context, ID, Object};
use contracts::WebhookEndpointId;
use graphql_kit::page::{self, Page};
use graphql_kit::{Result, parse_id, require_role};
use service_auth::Role;

use super::endpoint::{WebhookEndpoint, WebhookEndpointConnection};
use super::fault;
use crate::app::App;

/// Kind of the cursors of endpoints.
const LIST: &str = "webhook.endpoints";

/// The root of queries.
pub struct Query;

#[Object]
impl Query {
    /// Where events are sent, newest first. For administrators.
    #[graphql(tag = "internal")]
    async fn webhook_endpoints(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<WebhookEndpointConnection> {
        require_role(ctx, Role::Admin)?;
        let args = page::parse::<WebhookEndpointId>(LIST, first, after)?;
        let app = ctx.data_unchecked::<App>();
        let rows = app.endpoints(args.after, args.limit()).await.map_err(fault)?;
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), |row| row.id);
        Ok(WebhookEndpointConnection(page.map(WebhookEndpoint)))
    }

    /// An endpoint; null if there is none. For administrators.
    #[graphql(tag = "internal")]
    async fn webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint's id.")] id: ID,
    ) -> Result<Option<WebhookEndpoint>> {
        require_role(ctx, Role::Admin)?;
        let id: WebhookEndpointId = parse_id(&id, "id")?;
        let app = ctx.data_unchecked::<App>();
        Ok(app.endpoint(id).await.map_err(fault)?.map(WebhookEndpoint))
    }
}
