//! `GET /graphql/ws`: the protocol, its closes, its quotas.

use std::sync::Arc;
use std::time::Duration;

use contracts::UserId;
use futures::{SinkExt, StreamExt};
use graphql_kit::{WsConfig, WsLimits};
use serde_json::{Value, json};
use service_auth::Role;
use service_kit::Host;
use test_kit::Identity;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::toy;

struct Edge {
    url: String,
    identity: Identity,
    host: Host,
    user: UserId,
}

/// Limits that a test can reach soon.
fn tight() -> WsLimits {
    WsLimits {
        init: Duration::from_millis(200),
        ping: Duration::from_millis(50),
        write: Duration::from_millis(300),
        message_bytes: 4096,
        subscriptions_per_socket: 2,
        sockets_per_user: 2,
        sockets: 3,
    }
}

async fn edge(limits: WsLimits) -> Edge {
    let identity = Identity::new();
    let host = Host::for_test("toy");
    let mut config = WsConfig::new(identity.verifier(), vec!["https://shop.example".to_owned()]);
    config.limits = limits;
    let router = graphql_kit::ws_router(toy::schema(&Arc::default()), config, &host);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/graphql/ws", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Edge {
        url,
        identity,
        host,
        user: UserId::generate(),
    }
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Edge {
    async fn connect_as(&self, protocol: Option<&str>, origin: Option<&str>) -> Result<Client, Error> {
        let mut request = self.url.as_str().into_client_request()?;
        if let Some(protocol) = protocol {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        Ok(Client(connect_async(request).await?.0))
    }

    async fn connect(&self) -> Client {
        self.connect_as(Some("graphql-transport-ws"), None).await.unwrap()
    }

    fn bearer(&self) -> String {
        format!(
            "Bearer {}",
            self.identity.user_token(self.user, &[Role::Customer])
        )
    }

    /// A socket that is acknowledged.
    async fn ready(&self) -> Client {
        let mut client = self.connect().await;
        client.init(&self.bearer()).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }
}

impl Client {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn init(&mut self, bearer: &str) {
        self.say(json!({"type": "connection_init", "payload": {"authorization": bearer}}))
            .await;
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}}))
            .await;
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(5), self.0.next());
        next.await.unwrap().unwrap().unwrap()
    }

    /// The next message of the protocol.
    async fn hear(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a message: {other:?}"),
            }
        }
    }

    /// The code of the close, whatever comes before it.
    async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.next().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }
}

#[tokio::test]
async fn the_close_codes() {
    let edge = edge(WsLimits {
        sockets: 100,
        sockets_per_user: 100,
        ..tight()
    })
    .await;

    let mut silent = edge.connect().await;
    assert_eq!(silent.close_code().await, 4408, "no connection_init");

    let mut early = edge.connect().await;
    early.subscribe("1", "subscription { forever }").await;
    assert_eq!(early.close_code().await, 4401, "subscribe before connection_ack");

    for (name, payload) in [
        ("no payload", json!(null)),
        ("no token", json!({})),
        ("a bad token", json!({"authorization": "Bearer nonsense"})),
    ] {
        let mut client = edge.connect().await;
        client
            .say(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(client.close_code().await, 4403, "{name}");
    }

    let mut twice = edge.ready().await;
    twice.init(&edge.bearer()).await;
    assert_eq!(twice.close_code().await, 4429, "a second connection_init");

    let mut duplicate = edge.ready().await;
    duplicate.subscribe("1", "subscription { forever }").await;
    duplicate.subscribe("1", "subscription { forever }").await;
    assert_eq!(duplicate.close_code().await, 4409, "an id in use");

    for (name, message) in [
        ("not JSON", Message::text("hello")),
        ("an unknown type", Message::text(r#"{"type":"start","id":"1"}"#)),
        ("binary", Message::binary(vec![1, 2, 3])),
    ] {
        let mut client = edge.ready().await;
        client.0.send(message).await.unwrap();
        assert_eq!(client.close_code().await, 4400, "{name}");
    }

    let mut large = edge.ready().await;
    large.0.send(Message::text("x".repeat(8192))).await.unwrap();
    assert_eq!(large.close_code().await, 1009, "a large message");

    let mut other = edge.connect_as(None, None).await.unwrap();
    assert_eq!(other.close_code().await, 4406, "no subprotocol");
}

#[tokio::test]
async fn the_token_is_taken_in_each_shape() {
    let edge = edge(WsLimits::default()).await;
    let bearer = edge.bearer();
    for payload in [
        json!({"authorization": bearer}),
        json!({"headers": {"Authorization": bearer}}),
        json!({"connectionParams": {"authorization": bearer}}),
    ] {
        let mut client = edge.connect().await;
        client
            .say(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client.0.close(None).await.unwrap();
        assert_eq!(client.close_code().await, 1005);
    }
}

#[tokio::test]
async fn a_subscription_delivers_and_completes() {
    let edge = edge(WsLimits::default()).await;
    let mut client = edge.ready().await;
    client.subscribe("a", "subscription { count(to: 2) }").await;
    assert_eq!(
        client.hear().await,
        json!({"type": "next", "id": "a", "payload": {"data": {"count": 1}}})
    );
    assert_eq!(
        client.hear().await,
        json!({"type": "next", "id": "a", "payload": {"data": {"count": 2}}})
    );
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "a"}));
    client.subscribe("a", "subscription { count(to: 1) }").await;
    assert_eq!(client.hear().await["type"], "next", "an id may be used again");
    client.say(json!({"type": "ping"})).await;
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "a"}));
    assert_eq!(client.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_failed_field_of_an_event_is_null() {
    let edge = edge(WsLimits::default()).await;
    let mut client = edge.ready().await;
    client.subscribe("a", "subscription { partly { id may } }").await;
    let heard = client.hear().await;
    assert_eq!(
        heard["payload"]["data"],
        json!({"partly": {"id": 1, "may": null}})
    );
    assert_eq!(heard["payload"]["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    assert_eq!(client.hear().await["type"], "complete");
    client.subscribe("b", "subscription { partly { id must } }").await;
    assert_eq!(client.hear().await["payload"]["data"], json!({"partly": null}));
}

#[tokio::test]
async fn complete_from_the_client_ends_a_subscription() {
    let edge = edge(WsLimits::default()).await;
    let mut client = edge.ready().await;
    client.subscribe("a", "subscription { forever }").await;
    assert_eq!(client.hear().await["id"], "a");
    client.say(json!({"type": "complete", "id": "a"})).await;
    client.say(json!({"type": "ping"})).await;
    while client.hear().await["type"] != "pong" {}
    client.subscribe("b", "subscription { count(to: 1) }").await;
    assert_eq!(client.hear().await["id"], "b", "a is silent");
}

#[tokio::test]
async fn only_subscriptions_are_served() {
    let edge = edge(WsLimits::default()).await;
    let mut client = edge.ready().await;
    for (query, code) in [
        ("{ me }", "BAD_USER_INPUT"),
        (
            "mutation { buy(price: {amount: \"1\", currencyCode: \"USD\"}) { toy { id } } }",
            "BAD_USER_INPUT",
        ),
        ("{ __schema { queryType { name } } }", "FORBIDDEN"),
        ("{ _service { sdl } }", "BAD_USER_INPUT"),
        (
            "{ _entities(representations: []) { __typename } }",
            "BAD_USER_INPUT",
        ),
        (
            "subscription { count(to: 1) other: count(to: 1) }",
            "BAD_USER_INPUT",
        ),
        ("subscription { nothing }", "BAD_USER_INPUT"),
        ("subscription {", "BAD_USER_INPUT"),
        ("subscription { refused }", "FORBIDDEN"),
    ] {
        client.subscribe("q", query).await;
        let answer = client.hear().await;
        assert_eq!(answer["type"], "error", "{query}: {answer}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}");
        if query.contains("refused") || query.contains("nothing") {
            // The stream's own end may follow its error; the id is free either way.
            client.say(json!({"type": "ping"})).await;
            assert_eq!(
                client.hear().await,
                json!({"type": "pong"}),
                "an error is the last word"
            );
        }
    }
}

#[tokio::test]
async fn quotas_hold_per_socket_per_user_and_in_all() {
    let edge = edge(tight()).await;
    let mut first = edge.ready().await;
    for id in ["1", "2", "3"] {
        first.subscribe(id, "subscription { forever }").await;
    }
    let refused = loop {
        let heard = first.hear().await;
        if heard["type"] == "error" {
            break heard;
        }
    };
    assert_eq!(refused["id"], "3");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");

    let _second = edge.ready().await;
    let mut third = edge.connect().await;
    third.init(&edge.bearer()).await;
    let held = edge.connect_as(Some("graphql-transport-ws"), None).await;
    assert!(
        matches!(held, Err(Error::Http(answer)) if answer.status() == 503),
        "three in all"
    );
    assert_eq!(third.close_code().await, 4429, "two of one user");
}

#[tokio::test]
async fn foreign_origins_may_not_connect() {
    let edge = edge(tight()).await;
    let protocol = Some("graphql-transport-ws");
    assert!(
        edge.connect_as(protocol, Some("https://shop.example"))
            .await
            .is_ok()
    );
    for origin in [
        "https://evil.example",
        "null",
        "https://shop.example.evil.example",
    ] {
        let refused = edge.connect_as(protocol, Some(origin)).await;
        assert!(
            matches!(refused, Err(Error::Http(answer)) if answer.status() == 403),
            "{origin}"
        );
    }
}

#[tokio::test]
async fn an_expired_token_ends_the_stream() {
    let edge = edge(tight()).await;
    // The host's clock says how long the token has left.
    let mut host = edge.host.clone();
    host.clock = service_kit::Clock::manual(edge.host.clock.now() + Duration::from_mins(15));
    let config = WsConfig::new(edge.identity.verifier(), Vec::new());
    let router = graphql_kit::ws_router(toy::schema(&Arc::default()), config, &host);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/graphql/ws", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let late = Edge { url, ..edge };
    let mut client = late.ready().await;
    assert_eq!(client.close_code().await, 4403);
}

#[tokio::test]
async fn the_server_pings_and_drops_the_dead() {
    let edge = edge(tight()).await;
    let mut client = edge.ready().await;
    assert!(matches!(client.next().await, Message::Ping(_)));
    // Not reading means not answering pings either.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let mut gone = false;
    while let Some(next) = client.0.next().await {
        gone = next.is_err();
    }
    assert!(gone, "cut off without a close");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off() {
    let limits = WsLimits {
        ping: Duration::from_mins(1),
        ..tight()
    };
    let edge = edge(limits).await;
    let mut client = edge.ready().await;
    client
        .subscribe("a", "subscription { count(to: 2000000000) }")
        .await;
    edge.host.tasks.close();
    let waited = tokio::time::timeout(Duration::from_secs(20), edge.host.tasks.wait()).await;
    assert!(waited.is_ok(), "the socket's task ended by itself");
}

#[tokio::test]
async fn a_stopping_service_says_so() {
    let edge = edge(WsLimits::default()).await;
    let mut client = edge.ready().await;
    client.subscribe("a", "subscription { forever }").await;
    client.hear().await;
    edge.host.shutdown.cancel();
    assert_eq!(client.close_code().await, 1001);
    edge.host.tasks.close();
    edge.host.tasks.wait().await;
    let refused = edge.connect_as(Some("graphql-transport-ws"), None).await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 503));
}
