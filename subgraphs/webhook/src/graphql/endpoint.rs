//! Endpoints, as administrators see them.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::WebhookDeliveryId;
use graphql_kit::page::{self, Page};
use graphql_kit::{PageInfoObject, Result, require_role};
use service_auth::Role;

use super::delivery::{WebhookDelivery, WebhookDeliveryConnection, WebhookDeliveryState};
use super::loader::{PageOf, load};
use crate::app::Slice;
use crate::domain::{self, Endpoint};

/// Kind of the cursors of an endpoint's deliveries.
const LIST: &str = "webhook.deliveries";

/// What an endpoint can ask for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::EventType", tag = "internal")]
pub(crate) enum WebhookEventType {
    /// An order was accepted: `order.created.v1`.
    OrderCreated,
    /// An order went one step on: `order.status_changed.v1`.
    OrderStatusChanged,
    /// Money went back: `refund.completed.v1`.
    RefundCompleted,
}

/// Where events are sent.
#[derive(Clone)]
pub(crate) struct WebhookEndpoint(pub(super) Endpoint);

/// Where events are sent.
#[Object(tag = "internal")]
impl WebhookEndpoint {
    /// The endpoint's id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The address.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// What people call it.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What it is told.
    async fn event_types(&self) -> Vec<WebhookEventType> {
        self.0.event_types.iter().map(|kind| (*kind).into()).collect()
    }

    /// Whether anything is sent. What waits meanwhile is sent later; what happens meanwhile is not.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Why it was switched off, if nobody of ours did it.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled_reason.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// What was sent to it, or is to be, newest first.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Only those that stand here.")] state: Option<WebhookDeliveryState>,
    ) -> Result<WebhookDeliveryConnection> {
        require_role(ctx, Role::Admin)?;
        let args = page::parse::<WebhookDeliveryId>(LIST, first, after)?;
        let slice = Slice {
            after: args.after,
            state: state.map(Into::into),
            limit: args.limit(),
        };
        let endpoint = self.0.id;
        let rows = load(ctx, PageOf { endpoint, slice }).await?;
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), |row| row.id);
        Ok(WebhookDeliveryConnection(page.map(WebhookDelivery)))
    }
}

/// A page of endpoints.
pub(crate) struct WebhookEndpointConnection(pub(super) Page<WebhookEndpoint>);

/// A page of endpoints.
#[Object(tag = "internal")]
impl WebhookEndpointConnection {
    /// The endpoints, each with its cursor.
    async fn edges(&self) -> Vec<WebhookEndpointEdge> {
        let edge = |(cursor, node): &(String, WebhookEndpoint)| WebhookEndpointEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The endpoints.
    async fn nodes(&self) -> Vec<WebhookEndpoint> {
        self.0.items.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// An endpoint on a page.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct WebhookEndpointEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The endpoint.
    node: WebhookEndpoint,
}
