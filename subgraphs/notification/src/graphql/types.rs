//! Notifications and preferences.

use async_graphql::{Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::{OrderId, notification as wire};
use graphql_kit::page::Page;
use graphql_kit::{MoneyObject, PageInfoObject};

use crate::domain::{self, Notification, words};

/// What people are told about their orders.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "wire::NotificationKind")]
pub(crate) enum NotificationKind {
    /// The order is durable; nothing is paid yet.
    OrderReceived,
    /// It is paid, and its units are the buyer's.
    OrderPaid,
    /// It was given up; the text says why.
    OrderCancelled,
    /// It is on its way.
    OrderShipped,
    /// It is with the buyer.
    OrderDelivered,
    /// Money went back; `amount` says how much.
    RefundCompleted,
}

/// How something is told.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Channel")]
pub(crate) enum NotificationChannel {
    /// In the shop: the list of notifications, and the subscription.
    InApp,
    /// By mail.
    Email,
}

/// An order.
#[derive(SimpleObject, Clone)]
#[graphql(unresolvable)]
pub(crate) struct Order {
    /// The order's id.
    id: ID,
}

impl Order {
    pub(super) fn new(order: OrderId) -> Self {
        Self {
            id: ID(order.to_string()),
        }
    }
}

/// Something a person was told in the shop.
#[derive(Clone)]
pub(crate) struct NotificationObject(pub(super) Notification);

/// Something a person was told in the shop.
#[Object(name = "Notification")]
impl NotificationObject {
    /// The notification's id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// What it tells.
    async fn kind(&self) -> NotificationKind {
        self.0.what.kind().into()
    }

    /// A line to head it with.
    async fn title(&self) -> &'static str {
        words::title(&self.0.what)
    }

    /// One or two sentences.
    async fn body(&self) -> String {
        words::body(&self.0.what)
    }

    /// The order it is about.
    async fn order(&self) -> Option<Order> {
        Some(Order::new(self.0.order))
    }

    /// What is to be paid, or what went back; null where no money is meant.
    async fn amount(&self) -> Option<MoneyObject> {
        self.0.what.amount().map(Into::into)
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// When it was read; null if it was not.
    async fn read_at(&self) -> Option<DateTime<Utc>> {
        self.0.read_at
    }
}

/// A page of notifications.
pub(crate) struct NotificationConnection(pub(super) Page<NotificationObject>);

/// A page of notifications.
#[Object]
impl NotificationConnection {
    /// The notifications, each with its cursor.
    async fn edges(&self) -> Vec<NotificationEdge> {
        let edge = |(cursor, node): &(String, NotificationObject)| NotificationEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The notifications.
    async fn nodes(&self) -> Vec<NotificationObject> {
        self.0.items.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// A notification on a page.
#[derive(SimpleObject)]
pub(crate) struct NotificationEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The notification.
    node: NotificationObject,
}

/// Whether a kind is told by a channel.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreference {
    /// What would be told.
    pub(super) kind: NotificationKind,
    /// How.
    pub(super) channel: NotificationChannel,
    /// Whether it is. Everything is, until somebody says no.
    pub(super) enabled: bool,
}
