//! Mails that were given up, as staff see them.

use async_graphql::{Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use graphql_kit::PageInfoObject;
use graphql_kit::page::Page;

use super::entity::User;
use super::types::{NotificationKind, Order};
use crate::domain::{self, Mail};

/// Where a mail stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::MailState", tag = "internal")]
pub(crate) enum NotificationMailState {
    /// To be sent, or to be tried again.
    Pending,
    /// The mail server has taken it.
    Sent,
    /// Given up.
    Dead,
}

/// A mail to a user. Holds no address: auth is asked for it at each try.
#[derive(Clone)]
pub(crate) struct NotificationMail(pub(super) Mail);

/// A mail to a user. Holds no address: auth is asked for it at each try.
#[Object(tag = "internal")]
impl NotificationMail {
    /// The mail's id; its Message-ID begins with it.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// What it tells.
    async fn kind(&self) -> NotificationKind {
        self.0.what.kind().into()
    }

    /// Where it stands.
    async fn state(&self) -> NotificationMailState {
        self.0.state.into()
    }

    /// Who gets it.
    async fn user(&self) -> Option<User> {
        Some(User { user: self.0.user })
    }

    /// The order it is about.
    async fn order(&self) -> Option<Order> {
        Some(Order::new(self.0.order))
    }

    /// Tries that it had.
    async fn attempts(&self) -> i32 {
        i32::try_from(self.0.attempts).unwrap_or(i32::MAX)
    }

    /// Why the last try failed.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// When it was sent or given up; null while it waits.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// A page of mails.
pub(crate) struct NotificationMailConnection(pub(super) Page<NotificationMail>);

/// A page of mails.
#[Object(tag = "internal")]
impl NotificationMailConnection {
    /// The mails, each with its cursor.
    async fn edges(&self) -> Vec<NotificationMailEdge> {
        let edge = |(cursor, node): &(String, NotificationMail)| NotificationMailEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The mails.
    async fn nodes(&self) -> Vec<NotificationMail> {
        self.0.items.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// A mail on a page.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct NotificationMailEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The mail.
    node: NotificationMail,
}
