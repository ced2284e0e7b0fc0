//! Follows orders over the WebSocket, by `graphql-transport-ws`, across reconnects.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use graphql_ws_client::graphql::GraphqlOperation;
use graphql_ws_client::{Client, Subscription};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use url::Url;

use crate::graph::{GraphError, TopError, backoff};
use crate::session::Session;

const SUBPROTOCOL: HeaderValue = HeaderValue::from_static("graphql-transport-ws");
const TEXT: &str = include_str!("../operations/order_progress.graphql");
const MAX_FAILURES: u32 = 12;
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// One step of an order and the order after it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderProgress {
    /// The step.
    pub event: OrderEvent,
    /// The order.
    pub order: OrderState,
}

impl OrderProgress {
    /// Whether the step ends the order's way. The order beside it is as it is now, perhaps ahead of the step.
    pub fn is_end(&self) -> bool {
        matches!(self.event.step.as_str(), "PAID" | "CANCELLED" | "REFUNDED")
    }
}

/// A step of an order.
#[derive(Debug, Clone, Deserialize)]
pub struct OrderEvent {
    /// Its number in the order's history.
    pub sequence: i64,
    /// What happened.
    pub step: String,
    /// The status it led to.
    pub status: String,
    /// For people.
    pub message: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// An order.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// Its id.
    pub id: String,
    /// Its status.
    pub status: String,
    /// Why it was given up.
    pub cancel_reason: Option<String>,
    /// Whether nothing more happens by itself.
    pub is_final: bool,
}

/// Why an order can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// The server refuses the subscription.
    #[error("the subscription was refused: {0}")]
    Refused(TopError),
    /// No connection in many attempts.
    #[error("the WebSocket could not be used: {0}")]
    Connection(String),
    /// A message of another shape.
    #[error("a message is not as expected: {0}")]
    Shape(#[from] serde_json::Error),
    /// No token for it.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// An operation that goes on, as it is asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    query: &'static str,
    operation_name: &'static str,
    variables: Value,
}

impl GraphqlOperation for Asked {
    type Response = Value;
    type Error = serde_json::Error;

    fn decode(&self, data: Value) -> Result<Value, serde_json::Error> {
        Ok(data)
    }
}

/// One answer of it.
#[derive(Deserialize)]
pub(crate) struct Message {
    /// What it tells.
    #[serde(default)]
    pub(crate) data: Value,
    /// Why it tells nothing.
    #[serde(default)]
    pub(crate) errors: Vec<TopError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    order_progress: OrderProgress,
}

/// A user's WebSocket: opened when first needed, and again when it breaks.
pub struct Channel {
    url: Url,
    session: Arc<Session>,
    client: Mutex<Option<Client>>,
}

impl Channel {
    /// A channel of `session` to the public WebSocket at `url`.
    pub fn new(url: Url, session: Arc<Session>) -> Self {
        Self {
            url,
            session,
            client: Mutex::new(None),
        }
    }

    /// Steps of an order with a sequence above `after_sequence`, each once, for as long as the caller asks.
    pub fn follow(&self, order_id: &str, after_sequence: i64) -> OrderFeed<'_> {
        OrderFeed {
            channel: self,
            order_id: order_id.to_owned(),
            last: after_sequence,
            open: None,
            failures: 0,
        }
    }

    /// Closes the connection.
    pub async fn close(&self) {
        if let Some(client) = self.client.lock().await.take() {
            client.close(1000, "done").await;
        }
    }

    async fn subscribe(&self, order_id: &str, after: i64) -> Result<Subscription<Asked>, String> {
        let variables = json!({ "orderId": order_id, "afterSequence": after });
        self.ask("OrderProgress", TEXT, variables).await
    }

    /// Subscribes to anything; an error says why there is no connection.
    pub(crate) async fn ask(
        &self,
        name: &'static str,
        text: &'static str,
        variables: Value,
    ) -> Result<Subscription<Asked>, String> {
        let mut slot = self.client.lock().await;
        if slot.is_none() {
            *slot = Some(self.connect().await?);
        }
        let operation = Asked {
            query: text,
            operation_name: name,
            variables,
        };
        match slot.as_ref() {
            Some(client) => client
                .subscribe(operation)
                .await
                .map_err(|error| error.to_string()),
            None => Err("no connection".to_owned()),
        }
    }

    async fn connect(&self) -> Result<Client, String> {
        let bearer = self.session.bearer().await.map_err(|error| error.to_string())?;
        let mut request = self
            .url
            .as_str()
            .into_client_request()
            .map_err(|error| error.to_string())?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", SUBPROTOCOL);
        let (socket, _) = connect_async(request).await.map_err(|error| error.to_string())?;
        let payload = json!({ "authorization": format!("Bearer {bearer}") });
        let builder = Client::build(socket)
            .payload(payload)
            .map_err(|error| error.to_string())?;
        let (client, actor) = builder
            .keep_alive_interval(KEEP_ALIVE)
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(actor.into_future());
        Ok(client)
    }

    async fn forget(&self) {
        self.client.lock().await.take();
    }
}

/// The steps of one order, resumed by sequence after each interruption.
pub struct OrderFeed<'c> {
    channel: &'c Channel,
    order_id: String,
    last: i64,
    open: Option<Subscription<Asked>>,
    failures: u32,
}

impl<'c> OrderFeed<'c> {
    /// The next step. A stream that the server ended is asked again, since even a finished order can go on: money
    /// that came late is refunded.
    pub async fn next(&mut self) -> Result<OrderProgress, ProgressError> {
        loop {
            let Some(open) = &mut self.open else {
                self.reopen().await?;
                continue;
            };
            match open.next().await {
                Some(Ok(value)) => {
                    if let Some(progress) = self.read(value)? {
                        return Ok(progress);
                    }
                }
                Some(Err(error)) => self.interrupted(&error.to_string()).await?,
                None => self.interrupted("the stream ended").await?,
            }
        }
    }

    /// The same as a stream, which ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<OrderProgress, ProgressError>> + use<'c> {
        futures::stream::try_unfold(self, |mut feed| async move {
            let progress = feed.next().await?;
            Ok(Some((progress, feed)))
        })
    }

    async fn reopen(&mut self) -> Result<(), ProgressError> {
        match self.channel.subscribe(&self.order_id, self.last).await {
            Ok(open) => self.open = Some(open),
            Err(why) => {
                self.channel.forget().await;
                self.interrupted(&why).await?;
            }
        }
        Ok(())
    }

    /// A message the caller has not seen, if it is one.
    fn read(&mut self, value: Value) -> Result<Option<OrderProgress>, ProgressError> {
        tracing::debug!(order = self.order_id, %value, "heard");
        let message: Message = serde_json::from_value(value)?;
        if let Some(error) = message.errors.into_iter().next() {
            self.open = None;
            let again = matches!(error.code(), "UNAVAILABLE" | "INTERNAL" | "RATE_LIMITED")
                && self.failures < MAX_FAILURES;
            self.failures += 1;
            return if again {
                Ok(None)
            } else {
                Err(ProgressError::Refused(error))
            };
        }
        let data: Data = serde_json::from_value(message.data)?;
        let sequence = data.order_progress.event.sequence;
        if sequence <= self.last {
            return Ok(None);
        }
        self.last = sequence;
        self.failures = 0;
        Ok(Some(data.order_progress))
    }

    async fn interrupted(&mut self, why: &str) -> Result<(), ProgressError> {
        tracing::debug!(order = self.order_id, why, "the subscription was interrupted");
        self.open = None;
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            return Err(ProgressError::Connection(why.to_owned()));
        }
        // The client does not tell a dead connection from an ended stream, so a second failure asks for a new one.
        if self.failures > 1 {
            self.channel.forget().await;
        }
        tokio::time::sleep(backoff(self.failures)).await;
        Ok(())
    }
}
