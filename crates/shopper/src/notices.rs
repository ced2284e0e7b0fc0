//! What a buyer is told of their orders: as it happens over the WebSocket, and by mail.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use graphql_ws_client::Subscription;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::progress::{Asked, Channel, Message};
use crate::session::Session;

const TEXT: &str = include_str!("../operations/notification_received.graphql");
const TIMEOUT: Duration = Duration::from_secs(5);

/// A notification.
#[derive(Debug, Clone, Deserialize)]
pub struct Notice {
    /// What it tells.
    pub kind: String,
    /// A line to head it with.
    pub title: String,
    /// One or two sentences.
    pub body: String,
    /// The order it is about.
    pub order: Option<NoticedOrder>,
}

/// The order of a notification.
#[derive(Debug, Clone, Deserialize)]
pub struct NoticedOrder {
    /// Its id.
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    notification_received: Notice,
}

/// A user's notifications from now on.
pub struct Notices {
    channel: Channel,
    open: Subscription<Asked>,
}

impl Notices {
    /// Listens at the public WebSocket at `url`.
    pub async fn open(url: Url, session: Arc<Session>) -> Result<Self> {
        let channel = Channel::new(url, session);
        let asked = channel.ask("NotificationReceived", TEXT, json!({})).await;
        let open = asked.map_err(anyhow::Error::msg)?;
        Ok(Self { channel, open })
    }

    /// The next notification.
    pub async fn next(&mut self) -> Result<Notice> {
        let message = self
            .open
            .next()
            .await
            .context("the stream of notifications ended")?;
        let message: Message = serde_json::from_value(message?)?;
        if let Some(error) = message.errors.into_iter().next() {
            bail!("notifications are refused: {error}");
        }
        let data: Data = serde_json::from_value(message.data)?;
        Ok(data.notification_received)
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.channel.close().await;
    }
}

/// A mail as a catching mail server tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct CaughtMail {
    /// Its subject.
    pub subject: String,
    /// Its text for those who read no HTML.
    pub text: String,
}

/// The mails to `address` that the mail server at `url` has caught, oldest first.
pub async fn mails(url: &Url, address: &str) -> Result<Vec<CaughtMail>> {
    let mut place = url.join("/api/mails").context("the mail server's address")?;
    place.query_pairs_mut().append_pair("to", address);
    let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let answer = http.get(place).send().await?.error_for_status()?;
    Ok(answer.json().await?)
}
