//! Clients of the public graph, as a browser would have them: one over HTTP, one over the WebSocket.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Longer than any order of these tests takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The graph as one person, or nobody, sees it.
#[derive(Clone)]
pub(crate) struct Graph {
    http: reqwest::Client,
    url: String,
    websocket: String,
    token: Option<String>,
    correlation_id: Option<String>,
    traceparent: Option<String>,
}

/// Sent with a request and told by its answer.
const CORRELATION: &str = "x-correlation-id";

impl Graph {
    pub(crate) fn new(url: String, websocket: String) -> Self {
        let http = service_kit::http::client(Duration::from_secs(15));
        Self {
            http,
            url,
            websocket,
            token: None,
            correlation_id: None,
            traceparent: None,
        }
    }

    pub(crate) fn signed_in(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same person, whose requests are all called `id`.
    pub(crate) fn correlated(&self, id: &str) -> Self {
        Self {
            correlation_id: Some(id.to_owned()),
            ..self.clone()
        }
    }

    /// The same person, whose requests and subscriptions belong to a span of their own.
    pub(crate) fn traced(&self, traceparent: &str) -> Self {
        Self {
            traceparent: Some(traceparent.to_owned()),
            ..self.clone()
        }
    }

    /// The same person at another address.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn on_websocket(&self, url: &str) -> Self {
        Self {
            websocket: url.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    pub(crate) fn websocket(&self) -> &str {
        &self.websocket
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The whole answer, faults included.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        Ok(self
            .send(json!({ "query": query, "variables": variables }))
            .await?
            .json()
            .await?)
    }

    /// The whole answer to one operation of a document of several.
    pub(crate) async fn ask_named(&self, document: &str, operation: &str, variables: Value) -> Result<Value> {
        let body = json!({ "query": document, "operationName": operation, "variables": variables });
        Ok(self.send(body).await?.json().await?)
    }

    /// The correlation id that the answer tells, and the whole answer.
    pub(crate) async fn ask_told(&self, query: &str, variables: Value) -> Result<(String, Value)> {
        let response = self
            .send(json!({ "query": query, "variables": variables }))
            .await?;
        let mut told = response.headers().get_all(CORRELATION).iter();
        let id = told.next().context("an answer without a correlation id")?;
        let id = id.to_str()?.to_owned();
        ensure!(told.next().is_none(), "an answer with two correlation ids");
        Ok((id, response.json().await?))
    }

    async fn send(&self, body: Value) -> Result<reqwest::Response> {
        let mut request = self.http.post(&self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(id) = &self.correlation_id {
            request = request.header(CORRELATION, id);
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        Ok(request.send().await?)
    }

    /// The data of an answer that must have no fault.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Result<Value> {
        let mut answer = self.ask(query, variables).await?;
        ensure!(answer.get("errors").is_none(), "unexpected errors: {answer}");
        Ok(answer["data"].take())
    }

    /// Code of the first top-level error.
    pub(crate) async fn fault(&self, query: &str, variables: Value) -> Result<String> {
        let answer = self.ask(query, variables).await?;
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        code.map(str::to_owned)
            .with_context(|| format!("no coded error in {answer}"))
    }

    /// The steps of an order after `after`, until the stream completes.
    pub(crate) async fn watch(&self, order: &str, after: i64) -> Result<Vec<Value>> {
        let mut watch = Watch::open(self, order, after).await?;
        let mut steps = Vec::new();
        while let Some(step) = watch.next().await? {
            steps.push(step);
        }
        Ok(steps)
    }
}

/// A running `orderProgress` subscription.
pub(crate) struct Watch {
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
    field: &'static str,
}

impl Watch {
    pub(crate) async fn open(graph: &Graph, order: &str, after: i64) -> Result<Self> {
        let query =
            "subscription OrderProgress($id: ID!, $after: Int!) { orderProgress(orderId: $id, afterSequence: $after) {
            event { sequence step status message at } order { id status isFinal } } }";
        Self::subscribe(
            graph,
            "orderProgress",
            query,
            json!({ "id": order, "after": after }),
        )
        .await
    }

    /// The operators' feed of all orders.
    pub(crate) async fn feed(graph: &Graph) -> Result<Self> {
        let query = "subscription { orderFeed { event { sequence step status } order { id } } }";
        Self::subscribe(graph, "orderFeed", query, json!({})).await
    }

    /// What a person is told, as it is told: read it with [`Watch::next_progress`].
    pub(crate) async fn told(graph: &Graph) -> Result<Self> {
        let query = "subscription { notificationReceived { id kind title readAt order { id } } }";
        Self::subscribe(graph, "notificationReceived", query, json!({})).await
    }

    pub(crate) async fn subscribe(
        graph: &Graph,
        field: &'static str,
        query: &str,
        variables: Value,
    ) -> Result<Self> {
        let mut request = graph.websocket.as_str().into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", graph.token()) } });
        socket.send(Message::text(init.to_string())).await?;
        let mut payload = json!({ "query": query, "variables": variables });
        if let Some(traceparent) = &graph.traceparent {
            payload["extensions"] = json!({ "traceparent": traceparent });
        }
        let subscribe = json!({ "type": "subscribe", "id": "1", "payload": payload });
        let mut watch = Self { socket, field };
        let ack = watch.message().await?;
        ensure!(ack["type"] == "connection_ack", "no acknowledgement but {ack}");
        watch.socket.send(Message::text(subscribe.to_string())).await?;
        Ok(watch)
    }

    /// The next step; none when the stream is complete.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>> {
        let message = self.message().await?;
        match message["type"].as_str() {
            Some("next") => {
                ensure!(
                    message["payload"].get("errors").is_none(),
                    "unexpected errors: {message}"
                );
                Ok(Some(message["payload"]["data"][self.field]["event"].clone()))
            }
            Some("complete") => Ok(None),
            _ => bail!("unexpected message {message}"),
        }
    }

    /// The next step with its order, or the next notification, of a stream that must go on.
    pub(crate) async fn next_progress(&mut self) -> Result<Value> {
        let mut message = self.message().await?;
        ensure!(message["type"] == "next", "unexpected message {message}");
        Ok(message["payload"]["data"][self.field].take())
    }

    async fn message(&mut self) -> Result<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .context("nothing heard for a minute")?
                .context("the socket ended")??;
            match frame {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    if message["type"] == "ping" {
                        self.socket.send(Message::text(r#"{"type":"pong"}"#)).await?;
                    } else {
                        return Ok(message);
                    }
                }
                Message::Close(close) => bail!("closed: {close:?}"),
                _ => {}
            }
        }
    }
}
