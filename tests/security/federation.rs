//! What the router asks the subgraphs, asked by others or with made-up values.

use anyhow::Result;
use roster::SERVICES;
use serde_json::{Value, json};

use crate::Case;
use crate::doors::Door;
use crate::ledger::Group;
use crate::people::Person;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("federation: representations that are wrong", representations),
    ("federation: another's entities, and made-up values", made_up),
];

const ENTITIES: &str = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }";

fn representations(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "federation: representations").await?;
        let keyed = [
            ("auth", "User"),
            ("cart", "User"),
            ("order", "User"),
            ("cart", "Cart"),
            ("order", "Order"),
            ("payment", "Order"),
            ("inventory", "ProductVariant"),
            ("product", "ProductVariant"),
            ("product", "Product"),
        ];
        for (service, kind) in keyed {
            let door = Door::Service(service);
            let one = json!({ "__typename": kind, "id": "x" });
            let tries = [
                ("201", Value::Array(vec![one.clone(); 201])),
                ("1,000", Value::Array(vec![one.clone(); 1_000])),
                ("an unknown type", json!([{ "__typename": "Secret", "id": "x" }])),
                (
                    "a type of another kind",
                    json!([{ "__typename": "Query", "id": "x" }]),
                ),
                ("no type", json!([{ "id": "x" }])),
                ("a type that is a number", json!([{ "__typename": 1, "id": "x" }])),
                ("no key", json!([{ "__typename": kind }])),
                (
                    "a key that is a list",
                    json!([{ "__typename": kind, "id": ["x"] }]),
                ),
                (
                    "a key that is an object",
                    json!([{ "__typename": kind, "id": { "a": 1 } }]),
                ),
                ("a key that is null", json!([{ "__typename": kind, "id": null }])),
                ("a text", json!(["x"])),
                ("a list", json!([[one.clone()]])),
                ("an id that is none", json!([one])),
                ("SQL as id", json!([{ "__typename": kind, "id": "' OR 1=1 --" }])),
                ("NUL as id", json!([{ "__typename": kind, "id": "\u{0}" }])),
            ];
            for (name, list) in tries {
                let answer = world
                    .ask(
                        door,
                        Some(&world.people.bob.token),
                        ENTITIES,
                        json!({ "r": list }),
                    )
                    .await?;
                let given = answer.json()["data"]["_entities"].as_array().is_some_and(|all| {
                    // A stub is what was sent, sent back: it holds no more than its type.
                    all.iter()
                        .any(|entity| entity.is_object() && entity["__typename"] != kind)
                });
                let wrong = answer.outcome.starts_with('5') || given;
                let many = name == "201" || name == "1,000";
                let good = if many {
                    answer.outcome == "400 BAD_USER_INPUT"
                } else {
                    !wrong
                };
                group.judged(format!("{service} {kind}: {name}"), good, answer.outcome);
            }
        }
        for query in [
            "{ _service { sdl } }",
            "{ _entities(representations: []) { __typename } }",
        ] {
            let answer = world
                .ask(Door::Router, Some(&world.people.admin.token), query, json!({}))
                .await?;
            group.refused(
                format!("router: {query}"),
                &answer,
                &["400 GRAPHQL_VALIDATION_FAILED"],
            );
        }
        group.end().await
    })
}

/// Whose entities: Ada's. Who asks the subgraph, with the gateway key: nobody, and Bob.
fn made_up(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "federation: another's").await?;
        let people = &world.people;
        let tries = [
            ("auth", json!({ "__typename": "User", "id": people.ada.id }), "... on User { email displayName roles createdAt }"),
            ("cart", json!({ "__typename": "User", "id": people.ada.id }), "... on User { activeCart { id } }"),
            ("order", json!({ "__typename": "User", "id": people.ada.id }), "... on User { orders(first: 5) { nodes { id } } }"),
            ("cart", json!({ "__typename": "Cart", "id": people.cart }), "... on Cart { subtotal { amount } lines { id } }"),
            ("order", json!({ "__typename": "Order", "id": people.order }), "... on Order { number total { amount } saga { step } }"),
            ("payment", json!({ "__typename": "Order", "id": people.order }), "... on Order { payment { id amount { amount } } }"),
            ("payment", json!({ "__typename": "Payment", "id": people.payment }), "... on Payment { status amount { amount } }"),
            // Owner and total as the asker would like them.
            (
                "payment",
                json!({ "__typename": "Order", "id": people.order, "total": { "amount": "0.01", "currencyCode": "USD" }, "customer": { "id": people.bob.id }, "userId": people.bob.id }),
                "... on Order { payment { id } amountDue { amount } }",
            ),
            (
                "order",
                json!({ "__typename": "Order", "id": people.order, "customer": { "__typename": "User", "id": people.bob.id }, "userId": people.bob.id }),
                "... on Order { number }",
            ),
        ];
        for (service, representation, selection) in tries {
            let query = format!("query ($r: [_Any!]!) {{ _entities(representations: $r) {{ {selection} }} }}");
            let variables = json!({ "r": [representation] });
            for (who, person) in [("nobody", None), ("another", Some(&people.bob)), ("the owner", Some(&people.ada)), ("support", Some(&people.support))] {
                let token = person.map(|person: &Person| person.token.as_str());
                let answer = world.ask(Door::Service(service), token, &query, variables.clone()).await?;
                let name = format!("{service} {} {selection} by {who}", representation["__typename"]);
                let unknown = answer.body.contains("Unknown") || answer.body.contains("Invalid value");
                if who == "nobody" || who == "another" {
                    let shut = !answer.outcome.ends_with("data");
                    group.judged(name, shut, answer.outcome);
                } else if !selection.contains("saga") && !selection.starts_with("... on Payment") && !unknown {
                    group.control(name, answer.outcome.ends_with("data"), answer.outcome);
                }
            }
        }
        prices(world, &group).await?;
        for service in SERVICES {
            let answer = world.ask(Door::Service(service), None, "{ _service { sdl } }", json!({})).await?;
            group.works(format!("{service}: the router may ask for the SDL"), &answer);
        }
        group.end().await
    })
}

/// A total that a representation brings along decides nothing: what is due is what payment itself knows.
async fn prices(world: &World, group: &Group<'_>) -> Result<()> {
    let representation = json!({ "__typename": "Order", "id": world.people.order, "total": { "amount": "0.01", "currencyCode": "USD" } });
    let query = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payment { amount { amount } } amountDue { amount } } } }";
    let answer = world
        .ask(
            Door::Service("payment"),
            Some(&world.people.ada.token),
            query,
            json!({ "r": [representation] }),
        )
        .await?;
    let entity = answer.json()["data"]["_entities"][0].clone();
    let good = entity["payment"]["amount"]["amount"] == "12.50" && entity["amountDue"]["amount"] == "0.00";
    group.judged(
        "payment: a made-up total of 0.01 changes neither amount nor due",
        good,
        entity.to_string(),
    );
    Ok(())
}
