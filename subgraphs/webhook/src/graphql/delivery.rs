//! Deliveries, as administrators see them.

use async_graphql::{Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::OrderId;
use graphql_kit::PageInfoObject;
use graphql_kit::page::Page;

use crate::domain::{self, Delivery, DeliveryState};

/// Where a delivery stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::DeliveryState", tag = "internal")]
pub(crate) enum WebhookDeliveryState {
    /// To be sent, or to be tried again.
    Pending,
    /// The endpoint has taken it.
    Delivered,
    /// Given up.
    Dead,
}

/// An order.
#[derive(SimpleObject, Clone)]
#[graphql(unresolvable)]
pub(crate) struct Order {
    /// The order's id.
    id: ID,
}

impl Order {
    fn new(order: OrderId) -> Self {
        Self {
            id: ID(order.to_string()),
        }
    }
}

/// An event on its way to an endpoint, or there.
#[derive(Clone)]
pub(crate) struct WebhookDelivery(pub(super) Delivery);

/// An event on its way to an endpoint, or there.
#[Object(tag = "internal")]
impl WebhookDelivery {
    /// The delivery's id; the `webhook-id` of each of its tries.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The event's id; one event makes a delivery for each endpoint that asks for it.
    async fn event_id(&self) -> ID {
        ID(self.0.event.to_string())
    }

    /// The `type` in the body, such as `order.created.v1`; `webhook.test.v1` is a test.
    async fn event_type(&self) -> &str {
        &self.0.kind
    }

    /// The order it is about; null for a test.
    async fn order(&self) -> Option<Order> {
        self.0.order.map(Order::new)
    }

    /// Where it stands.
    async fn state(&self) -> WebhookDeliveryState {
        self.0.state.into()
    }

    /// Tries that it had, since it was last asked for.
    async fn attempts(&self) -> i32 {
        i32::try_from(self.0.attempts).unwrap_or(i32::MAX)
    }

    /// When it is tried next; null once it has ended.
    async fn next_try_at(&self) -> Option<DateTime<Utc>> {
        (self.0.state == DeliveryState::Pending).then_some(self.0.next_try_at)
    }

    /// The HTTP status of the last answer; null if there was none.
    async fn last_status(&self) -> Option<i32> {
        self.0.last_status.map(Into::into)
    }

    /// Why the last try failed, with the beginning of what the endpoint said.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was delivered or given up; null while it waits.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// A page of deliveries.
pub(crate) struct WebhookDeliveryConnection(pub(super) Page<WebhookDelivery>);

/// A page of deliveries.
#[Object(tag = "internal")]
impl WebhookDeliveryConnection {
    /// The deliveries, each with its cursor.
    async fn edges(&self) -> Vec<WebhookDeliveryEdge> {
        let edge = |(cursor, node): &(String, WebhookDelivery)| WebhookDeliveryEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The deliveries.
    async fn nodes(&self) -> Vec<WebhookDelivery> {
        self.0.items.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// A delivery on a page.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct WebhookDeliveryEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The delivery.
    node: WebhookDelivery,
}
