//! Every fault of a user's token at every door that takes one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::people::PASSWORD;
use crate::world::{GATEWAY_KEY, World};

pub(crate) const CASES: &[Case] = &[
    ("jwt: user tokens at every door", user_tokens),
    ("jwt: where a token does not belong", misplaced),
];

/// How many are shown at once.
const AT_ONCE: usize = 12;

/// Headers that the HTTP library would not send say nothing about us.
fn sendable(text: &str) -> bool {
    reqwest::header::HeaderValue::from_str(text).is_ok()
}

fn user_tokens(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "jwt: user tokens").await?;
        let trap = Trap::set().await?;
        let mould = world.forge.user();
        let mut faults = mould.faults(&trap.url);
        faults.extend(mould.user_claims());
        // Other keys of the house are not keys of users.
        for service in ["auth", "order"] {
            let text = crate::forge::raw(
                world.forge.service_key(service),
                &mould.header.to_string(),
                &mould.claims.to_string(),
            );
            faults.push((format!("signed by the key of the service {service}"), text));
        }
        for callee in ["auth", "order", "mercato"] {
            faults.push((
                format!("a service's token for {callee}"),
                world.forge.service("order", callee).good(),
            ));
        }
        let tries = Door::all()
            .into_iter()
            .flat_map(|door| faults.iter().map(move |(name, token)| (door, name, token)))
            .filter(|(door, _, token)| *door == Door::Socket || sendable(token));
        stream::iter(tries)
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, async |(door, name, token)| {
                let answer = world.show(door, &[format!("Bearer {token}")]).await?;
                // A header or message of this size may be refused before anybody reads it.
                let wanted = if token.len() > 30_000 {
                    [door.refusals(), &["431", "close 1009", "400"]].concat()
                } else {
                    door.refusals().to_vec()
                };
                group.refused(format!("{}: {name}", door.name()), &answer, &wanted);
                anyhow::Ok(())
            })
            .await?;
        controls(world, &group).await?;
        group.judged(
            "no key was fetched from an address in a token",
            trap.calls() == 0,
            format!("{} calls", trap.calls()),
        );
        group.end().await
    })
}

/// The very same token without a fault is welcome at every door.
async fn controls(world: &World, group: &Group<'_>) -> Result<()> {
    {
        let mould = world.forge.user();
        let token = mould.good();
        for door in Door::all() {
            let name = format!("{}: a good token under key {}", door.name(), mould.header["kid"]);
            let answer = match door {
                Door::Socket => {
                    world
                        .greet(json!({ "authorization": format!("Bearer {token}") }))
                        .await?
                }
                _ => world.ask(door, Some(&token), "{ __typename }", json!({})).await?,
            };
            let good = ["200 data", "connection_ack"].contains(&answer.outcome.as_str());
            group.control(name, good, answer.outcome);
        }
    }
    Ok(())
}

fn misplaced(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "jwt: misplaced").await?;
        let good = world.forge.user().good();
        for door in Door::all() {
            let values: Vec<(&str, Vec<String>)> = vec![
                (
                    "two tokens",
                    vec![format!("Bearer {good}"), format!("Bearer {good}")],
                ),
                (
                    "a good and a bad token",
                    vec![format!("Bearer {good}"), "Bearer nonsense".to_owned()],
                ),
                (
                    "two tokens in one header",
                    vec![format!("Bearer {good}, Bearer {good}")],
                ),
                ("Basic", vec!["Basic YWRtaW46YWRtaW4=".to_owned()]),
                ("a token under Basic", vec![format!("Basic {good}")]),
                ("a token without a scheme", vec![good.clone()]),
                ("Bearer twice", vec![format!("Bearer Bearer {good}")]),
                ("Bearer alone", vec!["Bearer".to_owned()]),
                ("an empty header", vec![String::new()]),
                ("DPoP", vec![format!("DPoP {good}")]),
                ("a password", vec![format!("Bearer {PASSWORD}")]),
                ("the gateway key", vec![format!("Bearer {GATEWAY_KEY}")]),
                (
                    "a refresh token",
                    vec![format!("Bearer {}", world.people.admin.refresh)],
                ),
            ];
            for (name, values) in values {
                if door == Door::Socket && values.len() > 1 {
                    continue;
                }
                let answer = world.show(door, &values).await?;
                // The router does not pass on a header it sees twice as one of the client's; then nobody is signed in.
                group.refused(format!("{}: {name}", door.name()), &answer, door.refusals());
            }
            elsewhere(world, &group, door, &good).await?;
        }
        group.end().await
    })
}

/// A name, an address, a body, and more headers.
type Place<'p> = (&'p str, String, String, Vec<(&'p str, String)>);

/// A good token where none is looked for: whoever sends it is nobody.
async fn elsewhere(world: &World, group: &Group<'_>, door: Door, good: &str) -> Result<()> {
    if door == Door::Socket {
        for (name, payload) in [
            ("no payload", Value::Null),
            ("a text as payload", json!(good)),
            ("the token under another name", json!({ "token": good })),
            (
                "the token in a list",
                json!({ "authorization": [format!("Bearer {good}")] }),
            ),
            (
                "the token as an object",
                json!({ "authorization": { "Bearer": good } }),
            ),
        ] {
            let answer = world.greet(payload).await?;
            group.refused(format!("websocket: {name}"), &answer, &["close 4403"]);
        }
        let mut socket = world
            .dial(&[
                ("authorization", &format!("Bearer {good}")),
                ("cookie", &format!("token={good}")),
            ])
            .await?;
        let init = json!({ "type": "connection_init" });
        futures::SinkExt::send(
            &mut socket,
            tokio_tungstenite::tungstenite::Message::text(init.to_string()),
        )
        .await?;
        let answer = crate::doors::hear(&mut socket).await?;
        group.refused(
            "websocket: the token in headers of the upgrade",
            &answer,
            &["close 4403"],
        );
        return Ok(());
    }
    let url = world.graphql_url(door)?;
    let key = if door.is_router() { "none" } else { GATEWAY_KEY };
    let prize = world.prize(door);
    let with_token = |name: &str, to: Value| crate::forge::with(prize.clone(), name, to).to_string();
    let places: Vec<Place<'_>> = vec![
        (
            "the query string",
            format!("{url}?access_token={good}&token={good}"),
            prize.to_string(),
            vec![],
        ),
        (
            "a cookie",
            url.clone(),
            prize.to_string(),
            vec![("cookie", format!("authorization=Bearer {good}; token={good}"))],
        ),
        (
            "another header",
            url.clone(),
            prize.to_string(),
            vec![
                ("x-access-token", good.to_owned()),
                ("proxy-authorization", format!("Bearer {good}")),
            ],
        ),
        (
            "extensions",
            url.clone(),
            with_token("extensions", json!({ "authorization": format!("Bearer {good}") })),
            vec![],
        ),
    ];
    for (place, url, body, headers) in places {
        let mut request = world
            .http
            .post(url)
            .header("accept", "application/graphql-response+json")
            .header("content-type", "application/json")
            .header("x-gateway-key", key)
            .body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = Answer::read(request.send().await?).await?;
        let wanted = match door {
            // To nobody, Ada's cart does not exist.
            Door::Service("cart") => "200 CART_NOT_FOUND",
            _ => "200 UNAUTHENTICATED",
        };
        group.refused(format!("{}: a token in {place}", door.name()), &answer, &[wanted]);
    }
    Ok(())
}

/// Listens where a forged header says that a key is.
struct Trap {
    url: String,
    calls: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/jwks.json", listener.local_addr()?);
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { url, calls })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}
