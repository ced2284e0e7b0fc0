//! The WebSocket: every message out of place closes it with its code, and nobody hears another's orders.

use std::time::Duration;

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt, join_all};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::Case;
use crate::answer::Answer;
use crate::doors::{Socket, hear};
use crate::forge::now;
use crate::ledger::Group;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("websocket: the protocol and its closes", protocol),
    ("websocket: Origin, subprotocol and size", upgrade),
    ("websocket: whose subscriptions", subscriptions),
    ("websocket: quotas", quotas),
];

type Said = Vec<Message>;

/// A case being tried: its name, what is wanted, what came.
type Saying<'s> = BoxFuture<'s, Result<(&'s str, &'s str, Answer)>>;

fn text(value: &Value) -> Message {
    Message::text(value.to_string())
}

pub(crate) fn init(token: &str) -> Message {
    text(&json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }))
}

pub(crate) fn subscribe(id: &str, query: &str, variables: &Value) -> Message {
    text(&json!({ "type": "subscribe", "id": id, "payload": { "query": query, "variables": variables } }))
}

pub(crate) const PROGRESS: &str =
    "subscription ($id: ID!) { orderProgress(orderId: $id) { event { sequence } } }";
const FEED: &str = "subscription { orderFeed { event { sequence } } }";

impl World {
    /// Says all of it, and waits for the close or for the first answer that is not an acknowledgement.
    async fn say(&self, messages: Said) -> Result<Answer> {
        let mut socket = self.dial(&[]).await?;
        for message in messages {
            // A socket that was closed meanwhile still says why below.
            if socket.send(message).await.is_err() {
                break;
            }
        }
        loop {
            let answer = hear(&mut socket).await?;
            if !["connection_ack", "pong", "next", "complete"].contains(&answer.outcome.as_str()) {
                return Ok(answer);
            }
        }
    }

    /// An initialised socket.
    async fn enter(&self, token: &str) -> Result<(Socket, Answer)> {
        let mut socket = self.dial(&[]).await?;
        socket.send(init(token)).await?;
        let answer = hear(&mut socket).await?;
        Ok((socket, answer))
    }
}

fn protocol(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "websocket: protocol").await?;
        let ada = world.people.ada.token.as_str();
        let order = json!({ "id": world.people.order });
        let waiting = || subscribe("1", FEED, &json!({}));
        let admin = world.people.admin.token.as_str();
        let raw = |text: &str| Message::text(text.to_owned());
        let forged = world.forge.user();
        let brief = forged.with_claim("exp", json!(now() + 3));
        let tries: Vec<(&str, &str, Said)> = vec![
            ("nothing for ten seconds", "close 4408", vec![]),
            ("pings alone for ten seconds", "close 4408", vec![raw(r#"{"type":"ping"}"#)]),
            ("subscribe before the acknowledgement", "close 4401", vec![waiting()]),
            ("two inits", "close 4429", vec![init(ada), init(ada)]),
            ("two inits at once", "close 4429", vec![init(admin), waiting(), init(admin)]),
            ("one id twice", "close 4409", vec![init(admin), waiting(), waiting()]),
            ("bad JSON", "close 4400", vec![init(ada), raw("{")]),
            ("no JSON before init", "close 4400", vec![raw("hello")]),
            ("an empty text", "close 4400", vec![init(ada), raw("")]),
            ("a list", "close 4400", vec![init(ada), raw("[]")]),
            ("no type", "close 4400", vec![init(ada), raw("{}")]),
            ("an unknown type", "close 4400", vec![init(ada), raw(r#"{"type":"start","id":"1"}"#)]),
            ("a server's message", "close 4400", vec![init(ada), raw(r#"{"type":"connection_ack"}"#)]),
            ("a type that is a number", "close 4400", vec![init(ada), raw(r#"{"type":1}"#)]),
            ("subscribe without an id", "close 4400", vec![init(ada), raw(r#"{"type":"subscribe","payload":{}}"#)]),
            ("subscribe with an empty id", "close 4400", vec![init(ada), raw(r#"{"type":"subscribe","id":"","payload":{}}"#)]),
            ("subscribe with an id that is a number", "close 4400", vec![init(ada), raw(r#"{"type":"subscribe","id":1,"payload":{}}"#)]),
            ("an id of 1 KiB", "close 4400", vec![init(ada), text(&json!({"type":"subscribe","id":"x".repeat(1024),"payload":{}}))]),
            ("complete without an id", "close 4400", vec![init(ada), raw(r#"{"type":"complete"}"#)]),
            ("a binary frame", "close 4400", vec![init(ada), Message::binary(vec![0_u8; 8])]),
            ("a binary frame before init", "close 4400", vec![Message::binary(b"{\"type\":\"connection_init\"}".to_vec())]),
            ("a 1 MiB frame", "close 1009", vec![init(ada), raw(&" ".repeat(1024 * 1024))]),
            ("brackets 10,000 deep", "close 4400", vec![init(ada), raw(&"[".repeat(10_000))]),
            ("no token", "close 4403", vec![raw(r#"{"type":"connection_init"}"#)]),
            ("a bad token", "close 4403", vec![init("nonsense")]),
            ("a token that expires on the way", "close 4403", vec![init(&brief), waiting()]),
            ("a query", "error BAD_USER_INPUT", vec![init(ada), subscribe("1", "query ($id: ID!) { order(id: $id) { id } }", &order)]),
            ("a mutation", "error BAD_USER_INPUT", vec![init(admin), subscribe("1", "mutation { retryOrder(input: {orderId: \"x\"}) { userErrors { code } } }", &json!({}))]),
            ("introspection", "error FORBIDDEN", vec![init(admin), subscribe("1", "{ __schema { types { name } } }", &json!({}))]),
            ("introspection as a subscription", "error FORBIDDEN", vec![init(admin), subscribe("1", "subscription { __schema { types { name } } }", &json!({}))]),
            ("_entities", "error BAD_USER_INPUT", vec![init(admin), subscribe("1", "{ _entities(representations: []) { __typename } }", &json!({}))]),
            ("_service", "error BAD_USER_INPUT", vec![init(admin), subscribe("1", "{ _service { sdl } }", &json!({}))]),
            ("two root fields", "error BAD_USER_INPUT", vec![init(admin), subscribe("1", "subscription { a: orderFeed { event { sequence } } b: orderFeed { event { sequence } } }", &json!({}))]),
            ("an unknown field", "error BAD_USER_INPUT", vec![init(ada), subscribe("1", "subscription { noSuchField }", &json!({}))]),
            ("no document", "error BAD_USER_INPUT", vec![init(ada), raw(r#"{"type":"subscribe","id":"1","payload":{}}"#)]),
            ("a payload that is a text", "error BAD_USER_INPUT", vec![init(ada), raw(r#"{"type":"subscribe","id":"1","payload":"x"}"#)]),
            ("20,000 tokens", "error BAD_USER_INPUT", vec![init(ada), subscribe("1", &format!("subscription {{ {} }}", "a ".repeat(20_000)), &json!({}))]),
            ("nested 200 deep", "error BAD_USER_INPUT", vec![init(ada), subscribe("1", &format!("subscription {} a {}", "{ ...".repeat(200), "}".repeat(200)), &json!({}))]),
        ];
        let cases: Vec<Saying<'_>> = tries
            .into_iter()
            .map(|(name, wanted, messages)| async move { Ok((name, wanted, world.say(messages).await?)) }.boxed())
            .collect();
        for outcome in join_all(cases).await {
            let (name, wanted, answer) = outcome?;
            group.refused(name, &answer, &[wanted]);
        }
        group.end().await
    })
}

fn upgrade(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "websocket: upgrade").await?;
        for (origin, allowed) in [
            ("https://evil.example", false),
            ("http://localhost:3001", false),
            ("http://localhost:3000.evil.example", false),
            ("https://localhost:3000", false),
            ("http://evil.example/http://localhost:3000", false),
            ("null", false),
            ("*", false),
            ("", false),
            ("http://localhost:3000", true),
        ] {
            let outcome = match world.dial(&[("origin", origin)]).await {
                Ok(_) => "101".to_owned(),
                Err(error) => status(&error),
            };
            if allowed {
                group.control(format!("Origin {origin}"), outcome == "101", outcome);
            } else {
                group.judged(format!("Origin {origin:?}"), outcome == "403", outcome);
            }
        }
        for protocol in [
            None,
            Some("graphql-ws"),
            Some("soap"),
            Some("graphql-transport-ws2"),
        ] {
            let mut request = world.stack.plan().websocket_url("order").into_client_request()?;
            if let Some(protocol) = protocol {
                request
                    .headers_mut()
                    .insert("sec-websocket-protocol", protocol.parse()?);
            }
            let answer = match tokio_tungstenite::connect_async(request).await {
                Ok((mut socket, _)) => hear(&mut socket).await?,
                // The client itself gives up when its protocol was not chosen.
                Err(tokio_tungstenite::tungstenite::Error::Protocol(_)) => Answer::new("close 4406"),
                Err(error) => Answer::new(format!("broken: {error}")),
            };
            group.refused(format!("subprotocol {protocol:?}"), &answer, &["close 4406"]);
        }
        let http = world
            .stack
            .plan()
            .websocket_url("order")
            .replace("ws://", "http://");
        for (name, request) in [
            ("a plain GET", world.http.get(&http)),
            (
                "a POST",
                world.http.post(&http).json(&json!({ "query": "{ __typename }" })),
            ),
            (
                "a query by GET",
                world.http.get(format!("{http}?query={{__typename}}")),
            ),
        ] {
            let answer = Answer::read(request.send().await?).await?;
            group.judged(
                name,
                answer.outcome.starts_with('4') && !answer.outcome.ends_with("data"),
                answer.outcome,
            );
        }
        group.end().await
    })
}

fn status(error: &anyhow::Error) -> String {
    match error.downcast_ref::<tokio_tungstenite::tungstenite::Error>() {
        Some(tokio_tungstenite::tungstenite::Error::Http(response)) => response.status().as_u16().to_string(),
        _ => error.to_string(),
    }
}

fn subscriptions(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "websocket: subscriptions").await?;
        let people = &world.people;
        let other = "ord_01h455vb4pex5vsknk084sn02q";
        for (name, token, query, id, wanted) in [
            ("another's order", &people.bob.token, PROGRESS, people.order.as_str(), "error NOT_FOUND"),
            ("an order that is not there", &people.bob.token, PROGRESS, other, "error NOT_FOUND"),
            ("an id that is none", &people.ada.token, PROGRESS, "nonsense", "error BAD_USER_INPUT"),
            ("an id of another kind", &people.ada.token, PROGRESS, people.cart.as_str(), "error BAD_USER_INPUT"),
            ("everybody's orders by a customer", &people.ada.token, FEED, "", "error FORBIDDEN"),
        ] {
            let variables = if id.is_empty() { json!({}) } else { json!({ "id": id }) };
            let answer = world.say(vec![init(token), subscribe("1", query, &variables)]).await?;
            group.refused(name, &answer, &[wanted]);
        }
        let negative = "subscription ($id: ID!) { orderProgress(orderId: $id, afterSequence: -1) { event { sequence } } }";
        let answer = world.say(vec![init(&people.ada.token), subscribe("1", negative, &json!({ "id": people.order }))]).await?;
        group.refused("afterSequence -1", &answer, &["error BAD_USER_INPUT"]);
        for (name, token) in [("the owner", &people.ada.token), ("support", &people.support.token)] {
            let (mut socket, _) = world.enter(token).await?;
            socket.send(subscribe("1", PROGRESS, &json!({ "id": people.order }))).await?;
            let answer = hear(&mut socket).await?;
            group.control(format!("{name} hears of the order"), answer.outcome == "next", answer.outcome);
        }
        group.end().await
    })
}

fn quotas(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "websocket: quotas").await?;
        // Many subscriptions on one socket.
        let (mut socket, _) = world.enter(&world.people.admin.token).await?;
        for id in 0..1_000 {
            socket.send(subscribe(&id.to_string(), FEED, &json!({}))).await?;
        }
        let mut refused = 0;
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(Duration::from_secs(2), socket.next()).await {
            if frame.to_text().is_ok_and(|text| text.contains("RATE_LIMITED")) {
                refused += 1;
            }
            if refused == 968 {
                break;
            }
        }
        group.judged(
            "1,000 subscriptions on one socket: all but 32",
            refused == 968,
            format!("{refused} RATE_LIMITED"),
        );
        drop(socket);
        // A thousand sockets of one user, a hundred at a time; those of others still open.
        let mut open: Vec<Socket> = Vec::new();
        for hundred in 0..10 {
            let dials = (0..100).map(|_| world.enter(&world.people.bob.token));
            for (number, outcome) in join_all(dials).await.into_iter().enumerate() {
                let (socket, answer) = outcome?;
                if answer.outcome == "connection_ack" {
                    open.push(socket);
                } else {
                    let name = format!("socket {} of one user", hundred * 100 + number + 1);
                    group.refused(name, &answer, &["close 4429"]);
                }
            }
        }
        group.judged(
            "1,000 sockets of one user: all but 20",
            open.len() == 20,
            format!("{} open", open.len()),
        );
        let (_, answer) = world.enter(&world.people.ada.token).await?;
        group.control(
            "another user gets in",
            answer.outcome == "connection_ack",
            answer.outcome,
        );
        drop(open);
        group.end().await
    })
}
