//! The gateway key: without a good one, no subgraph answers anything at all.

use anyhow::Result;
use roster::SERVICES;
use serde_json::{Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::world::{FORMER_GATEWAY_KEY, GATEWAY_KEY, RETIRED_GATEWAY_KEY, World};

pub(crate) const CASES: &[Case] = &[
    ("gateway key: missing, wrong and retired", keys),
    ("gateway key: headers that a client makes up", made_up),
];

const SHUT: &[&str] = &["401 FORBIDDEN"];

fn keys(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "gateway key").await?;
        for service in SERVICES {
            let door = Door::Service(service);
            let url = world.graphql_url(door)?;
            let last = &GATEWAY_KEY[..GATEWAY_KEY.len() - 1];
            let tries: Vec<(&str, Vec<(&str, String)>)> = vec![
                ("no key", vec![]),
                ("an empty key", vec![("x-gateway-key", String::new())]),
                (
                    "a wrong key",
                    vec![("x-gateway-key", "gateway-key-of-nobody-0123456789".to_owned())],
                ),
                (
                    "the retired key",
                    vec![("x-gateway-key", RETIRED_GATEWAY_KEY.to_owned())],
                ),
                (
                    "the key but for its end",
                    vec![("x-gateway-key", last.to_owned())],
                ),
                (
                    "the key and more",
                    vec![("x-gateway-key", format!("{GATEWAY_KEY}0"))],
                ),
                (
                    "the key in upper case",
                    vec![("x-gateway-key", GATEWAY_KEY.to_uppercase())],
                ),
                (
                    "both keys in one",
                    vec![("x-gateway-key", format!("{FORMER_GATEWAY_KEY},{GATEWAY_KEY}"))],
                ),
                (
                    "the key twice",
                    vec![
                        ("x-gateway-key", GATEWAY_KEY.to_owned()),
                        ("x-gateway-key", GATEWAY_KEY.to_owned()),
                    ],
                ),
                (
                    "the key as a token",
                    vec![("authorization", format!("Bearer {GATEWAY_KEY}"))],
                ),
                (
                    "the key in a cookie",
                    vec![("cookie", format!("x-gateway-key={GATEWAY_KEY}"))],
                ),
                (
                    "a service's token",
                    vec![(
                        "authorization",
                        format!("Bearer {}", world.forge.service("order", service).good()),
                    )],
                ),
                (
                    "an administrator alone",
                    vec![("authorization", format!("Bearer {}", world.people.admin.token))],
                ),
            ];
            for (document, body) in documents(world, door) {
                for (name, headers) in &tries {
                    let mut request = world
                        .http
                        .post(&url)
                        .header("content-type", "application/json")
                        .body(body.to_string());
                    for (header, value) in headers {
                        request = request.header(*header, value);
                    }
                    let answer = Answer::read(request.send().await?).await?;
                    group.refused(format!("{service}: {document}: {name}"), &answer, SHUT);
                }
            }
            let answer = Answer::read(world.http.get(&url).send().await?).await?;
            group.refused(format!("{service}: GET"), &answer, SHUT);
            for (name, key) in [
                ("the present key", GATEWAY_KEY),
                ("the former key", FORMER_GATEWAY_KEY),
            ] {
                let request = world
                    .http
                    .post(&url)
                    .header("x-gateway-key", key)
                    .json(&json!({ "query": "{ __typename }" }));
                let answer = Answer::read(request.send().await?).await?;
                group.works(format!("{service}: {name}"), &answer);
            }
        }
        group.end().await
    })
}

fn documents(world: &World, door: Door) -> Vec<(&'static str, Value)> {
    let representations = json!([{ "__typename": "Order", "id": world.people.order }]);
    vec![
        ("a prize", world.prize(door)),
        ("_service", json!({ "query": "{ _service { sdl } }" })),
        (
            "_entities",
            json!({
                "query": "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }",
                "variables": { "r": representations },
            }),
        ),
    ]
}

/// What a client says about itself in headers means nothing behind the router.
fn made_up(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "gateway key: made-up headers").await?;
        let people = &world.people;
        for (name, value) in [
            ("x-user-id", people.admin.id.as_str()),
            ("x-user", people.admin.id.as_str()),
            ("x-role", "ADMIN"),
            ("x-roles", "ADMIN"),
            ("x-gateway-key", GATEWAY_KEY),
            ("x-gateway-key", "wrong"),
            ("x-forwarded-user", people.admin.email.as_str()),
            ("x-apollo-operation-name", "Admin"),
            ("x-original-url", "/internal"),
            ("x-http-method-override", "GET"),
        ] {
            for (who, token) in [("nobody", None), ("a customer", Some(&people.bob.token))] {
                let mut request = world.post(Door::Staff)?.header(name, value);
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let request = request.body(world.prize(Door::Staff).to_string());
                let answer = Answer::read(request.send().await?).await?;
                let wanted = if token.is_some() {
                    "200 FORBIDDEN"
                } else {
                    "200 UNAUTHENTICATED"
                };
                group.refused(format!("{who} with {name}: {value}"), &answer, &[wanted]);
            }
        }
        group.end().await
    })
}
