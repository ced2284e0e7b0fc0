//! Documents and bodies that are made to cost: refused at the router and, should one get past it, at each subgraph.

use anyhow::Result;
use serde_json::{Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::people::fresh_key;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("limits: documents", documents),
    ("limits: pages and cursors", pages),
    ("limits: values", values),
];

/// A refusal before anything ran.
const SERVICE: &[&str] = &["400 BAD_USER_INPUT"];
/// The router's own words for it.
const ROUTER: &[&str] = &[
    "400 PARSING_ERROR",
    "400 GRAPHQL_PARSE_FAILED",
    "400 GRAPHQL_PARSING_FAILED",
    "400 GRAPHQL_VALIDATION_FAILED",
    "400 BAD_USER_INPUT",
    "400 GRAPHQL_UNKNOWN_OPERATION_NAME",
    "400 VALIDATION_INVALID_TYPE_VARIABLE",
    "400 MISSING_QUERY_STRING",
];

pub(crate) fn doors() -> Vec<Door> {
    Door::all()
        .into_iter()
        .filter(|door| *door != Door::Socket)
        .collect()
}

const fn wanted(door: Door) -> &'static [&'static str] {
    match door {
        Door::Router | Door::Staff => ROUTER,
        _ => SERVICE,
    }
}

/// Nested `depth` times by inline fragments, which any type allows.
fn nested(depth: usize) -> String {
    format!(
        "{{ {} __typename {} }}",
        "... { ".repeat(depth),
        "}".repeat(depth)
    )
}

/// A cycle of types, walked `times`: product to variant and back.
fn cycle(times: usize) -> String {
    format!(
        "{{ products(first: 1) {{ nodes {{ {} id {} }} }} }}",
        "variants { product { ".repeat(times),
        "} }".repeat(times)
    )
}

fn documents(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "limits: documents").await?;
        for door in doors() {
            let mut tries: Vec<(String, Value)> = Vec::new();
            let mut add =
                |name: &str, query: String| tries.push((name.to_owned(), json!({ "query": query })));
            for depth in [100, 200, 5_000] {
                add(&format!("{depth} deep"), nested(depth));
            }
            let aliases = |count: usize| {
                let all: Vec<String> = (0..count).map(|n| format!("a{n}: __typename ")).collect();
                all.concat()
            };
            if !door.is_router() {
                add("101 aliases", format!("{{ {} }}", aliases(101)));
            }
            add("2,000 aliases", format!("{{ {} }}", aliases(2_000)));
            add("20,000 tokens", format!("{{ {} }}", "__typename ".repeat(20_000)));
            add(
                "10,000 directives",
                format!("{{ __typename {} }}", "@include(if: true) ".repeat(10_000)),
            );
            if !door.is_router() {
                let spread = "a: __typename @include(if: true) @skip(if: false) ";
                let many: String = (0..60).map(|n| spread.replace("a:", &format!("a{n}:"))).collect();
                add("120 directives on 60 fields", format!("{{ {many} }}"));
            }
            add(
                "a fragment of itself",
                "{ ...A } fragment A on Query { ...A }".to_owned(),
            );
            add(
                "fragments of each other",
                "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
            );
            let doubling: Vec<String> = (0..30)
                .map(|n| {
                    format!(
                        "fragment F{n} on Query {{ ...F{m} ... {{ ...F{m} }} }} ",
                        m = n + 1
                    )
                })
                .collect();
            if !door.is_router() {
                add(
                    "fragments that double 30 times",
                    format!(
                        "{{ ...F0 }} {} fragment F30 on Query {{ __typename }}",
                        doubling.concat()
                    ),
                );
            }
            add("an unknown field", "{ noSuchField }".to_owned());
            add("an unclosed bracket", "{ __typename".to_owned());
            add("an unclosed text", "{ a(b: \"".to_owned());
            add("nothing", String::new());
            add("a comment alone", "# nothing".to_owned());
            add("brackets alone", "{".repeat(20_000));
            add(
                "lists 500 deep",
                format!("{{ a(b: {}{}) }}", "[".repeat(500), "]".repeat(500)),
            );
            add(
                "two operations without a name",
                "query A { __typename } query B { __typename }".to_owned(),
            );
            add("a type instead of an operation", "type A { b: Int }".to_owned());
            add("NUL in the document", "{ __typename \u{0} }".to_owned());
            if matches!(door, Door::Service("product")) {
                for times in [8, 12] {
                    add(&format!("product and variant {times} times"), cycle(times));
                }
            }
            for (name, body) in tries {
                let answer = Answer::read(world.post(door)?.body(body.to_string()).send().await?).await?;
                group.refused(format!("{}: {name}", door.name()), &answer, wanted(door));
            }
            let unknown = json!({ "query": "query A { __typename }", "operationName": "B" });
            let answer = Answer::read(world.post(door)?.body(unknown.to_string()).send().await?).await?;
            group.refused(
                format!("{}: an operation that is not there", door.name()),
                &answer,
                wanted(door),
            );
            let answer = world.ask(door, None, &nested(5), json!({})).await?;
            group.works(format!("{}: 5 deep", door.name()), &answer);
            let answer = world
                .ask(door, None, &format!("{{ {} }}", aliases(50)), json!({}))
                .await?;
            group.works(format!("{}: 50 aliases", door.name()), &answer);
        }
        mutations(world, &group).await?;
        group.end().await
    })
}

/// Many of what one may do once.
async fn mutations(world: &World, group: &Group<'_>) -> Result<()> {
    let logins = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("l{n}: login(input: {{email: \"ada@example.com\", password: \"guess number {n}\"}}) {{ session {{ accessToken }} }} ")).collect();
        all.concat()
    };
    let orders = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("o{n}: createOrder(input: {{cartId: \"{}\", paymentMethod: \"pm_card_visa\", idempotencyKey: \"many-orders-{n}\"}}) {{ order {{ id }} }} ", world.people.cart)).collect();
        all.concat()
    };
    for (door, name, query, wanted) in [
        (Door::Router, "1,000 aliases of login", logins(1_000), ROUTER),
        (
            Door::Service("auth"),
            "1,000 aliases of login",
            logins(1_000),
            SERVICE,
        ),
        (Door::Service("auth"), "11 aliases of login", logins(11), SERVICE),
        (
            Door::Router,
            "11 aliases of login",
            logins(11),
            &["200 BAD_USER_INPUT"],
        ),
        (
            Door::Service("order"),
            "101 aliases of createOrder",
            orders(101),
            SERVICE,
        ),
        (Door::Router, "101 aliases of createOrder", orders(101), ROUTER),
    ] {
        let token = world.people.ada.token.as_str();
        let answer = world
            .ask(door, Some(token), &format!("mutation {{ {query} }}"), json!({}))
            .await?;
        group.refused(format!("{}: {name}", door.name()), &answer, wanted);
    }
    Ok(())
}

fn pages(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "limits: pages").await?;
        let admin = Some(world.people.admin.token.as_str());
        let ada = Some(world.people.ada.token.as_str());
        let lists = [
            ("product", "products", "products(first: $first, after: $after) { nodes { id } pageInfo { endCursor } }", admin),
            ("auth", "users", "users(first: $first, after: $after) { nodes { id } pageInfo { endCursor } }", admin),
            ("order", "orders", "orders(first: $first, after: $after) { nodes { id } pageInfo { endCursor } }", admin),
            ("payment", "payments", "payments(first: $first, after: $after) { nodes { id } pageInfo { endCursor } }", admin),
            ("inventory", "stockMovements", "stockMovements(sku: \"SKU\", first: $first, after: $after) { nodes { id } pageInfo { endCursor } }", admin),
        ];
        let query = |list: &str| {
            let list = list.replace("SKU", &world.people.sku);
            format!("query ($first: Int!, $after: String) {{ {list} }}")
        };
        let mut cursors = Vec::new();
        for (service, root, list, token) in lists {
            let answer = world.ask(Door::Service(service), token, &query(list), json!({ "first": 1 })).await?;
            let cursor = answer.json()["data"][root]["pageInfo"]["endCursor"].as_str().map(str::to_owned);
            group.control(format!("{root}: a cursor"), cursor.is_some(), answer.outcome);
            cursors.push((root, cursor.unwrap_or_default()));
        }
        for (service, root, list, token) in lists {
            // But for products these lists are for staff.
            let router = if root == "products" { Door::Router } else { Door::Staff };
            for door in [Door::Service(service), router] {
                let status = if door.is_router() { &["200 BAD_USER_INPUT", "400 VALIDATION_INVALID_TYPE_VARIABLE"][..] } else { &["200 BAD_USER_INPUT", "400 BAD_USER_INPUT"] };
                let own = &cursors.iter().find(|(name, _)| *name == root).unwrap().1;
                let mut tries: Vec<(String, Value)> = [-1_i64, 0, 101, 1_000_000, 2_147_483_647, 2_147_483_648, -2_147_483_649]
                    .into_iter()
                    .map(|first| (format!("first {first}"), json!({ "first": first })))
                    .collect();
                for (name, after) in [("empty", String::new()), ("nonsense", "nonsense".to_owned()), ("JSON", "eyJhIjoxfQ==".to_owned()), ("SQL", "' OR 1=1 --".to_owned()), ("NUL", "\u{0}".to_owned()), ("10 KiB", "A".repeat(10_240)), ("cut short", own[..own.len() - 1].to_owned()), ("doubled", format!("{own}{own}"))] {
                    tries.push((format!("cursor: {name}"), json!({ "first": 1, "after": after })));
                }
                let at = own.len() / 2;
                let flipped = if own[at..=at] == *"A" { "B" } else { "A" };
                tries.push(("cursor: one character changed".to_owned(), json!({ "first": 1, "after": format!("{}{flipped}{}", &own[..at], &own[at + 1..]) })));
                for (other, cursor) in cursors.iter().filter(|(name, _)| *name != root) {
                    tries.push((format!("cursor: of {other}"), json!({ "first": 1, "after": cursor })));
                }
                for (name, variables) in tries {
                    let answer = world.ask(door, token, &query(list), variables).await?;
                    group.refused(format!("{} {root}: {name}", door.name()), &answer, status);
                }
            }
        }
        // A cursor of the administrators' list of orders opens nothing in Ada's own.
        let theirs = &cursors.iter().find(|(name, _)| *name == "orders").unwrap().1;
        let own = "query ($after: String) { me { orders(first: 1, after: $after) { nodes { id } } } }";
        let answer = world.ask(Door::Router, ada, own, json!({ "after": theirs })).await?;
        let ids = answer.json()["data"]["me"]["orders"]["nodes"].to_string();
        group.judged("me.orders: a cursor of orders", ids == "null" || ids == "[]" || answer.outcome.contains("BAD_USER_INPUT"), answer.outcome);
        group.end().await
    })
}

fn values(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "limits: values").await?;
        let ada = Some(world.people.ada.token.as_str());
        let create = "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id } userErrors { code } } }";
        let line = |id: &str, quantity: Value| json!({ "variantId": id, "quantity": quantity });
        let cart = |lines: Value| json!({ "input": { "currencyCode": "USD", "idempotencyKey": fresh_key(), "lines": lines } });
        let variant = world.people.variant.as_str();
        let huge: Value = serde_json::from_str("1e400").unwrap_or_else(|_| json!(f64::MAX));
        let tries = vec![
            ("quantity 0", cart(json!([line(variant, json!(0))]))),
            ("quantity -1", cart(json!([line(variant, json!(-1))]))),
            ("quantity 2^31 - 1", cart(json!([line(variant, json!(2_147_483_647))]))),
            ("quantity 2^31", cart(json!([line(variant, json!(2_147_483_648_u64))]))),
            ("quantity 1.5", cart(json!([line(variant, json!(1.5))]))),
            ("quantity as a text", cart(json!([line(variant, json!("1"))]))),
            ("quantity 1e308", cart(json!([line(variant, huge)]))),
            ("10,001 lines", cart(Value::Array(vec![line(variant, json!(1)); 10_001]))),
            ("an unknown variant", cart(json!([line("var_00000000000000000000000000", json!(1))]))),
            ("an id that is none", cart(json!([line("nonsense", json!(1))]))),
            ("an id of another kind", cart(json!([line(&world.people.order, json!(1))]))),
            ("NUL in an id", cart(json!([line("var_\u{0}", json!(1))]))),
            ("SQL in an id", cart(json!([line("var_' OR 1=1 --", json!(1))]))),
            ("another currency", json!({ "input": { "currencyCode": "EUR", "idempotencyKey": fresh_key(), "lines": [line(variant, json!(1))] } })),
            ("a currency that is none", json!({ "input": { "currencyCode": "usd$", "idempotencyKey": fresh_key(), "lines": [] } })),
            ("a price of the client's", json!({ "input": { "currencyCode": "USD", "idempotencyKey": fresh_key(), "lines": [{ "variantId": variant, "quantity": 1, "unitPrice": { "amount": "0.01" } }] } })),
            ("an empty key", json!({ "input": { "currencyCode": "USD", "idempotencyKey": "", "lines": [] } })),
            ("a key of 10 KiB", json!({ "input": { "currencyCode": "USD", "idempotencyKey": "k".repeat(10_240), "lines": [] } })),
            ("no key", json!({ "input": { "currencyCode": "USD", "lines": [] } })),
            ("no input", json!({})),
        ];
        for door in [Door::Router, Door::Service("cart")] {
            for (name, variables) in &tries {
                let answer = world.ask(door, ada, create, variables.clone()).await?;
                let refused = answer.outcome.rsplit(' ').next().is_some_and(|code| {
                    ["BAD_USER_INPUT", "VALIDATION_INVALID_TYPE_VARIABLE", "QUANTITY_INVALID", "VARIANT_UNAVAILABLE", "CURRENCY_MISMATCH", "TOO_MANY_LINES"].contains(&code)
                }) || answer.outcome.starts_with("413");
                group.judged(format!("{} createCart: {name}", door.name()), refused, answer.outcome.clone());
                leaks_nothing(&group, &format!("{} createCart: {name}", door.name()), &answer);
            }
        }
        group.end().await
    })
}

/// Words of what is behind: none of them may stand in an answer.
const INSIDE: [&str; 16] = [
    "sqlx",
    "postgres",
    "SELECT ",
    "INSERT ",
    "redis",
    "amqp",
    "lapin",
    "panicked",
    "stack backtrace",
    ".rs:",
    "/crates/",
    "/.cargo/",
    "127.0.0.1",
    "localhost",
    "async_graphql",
    "reqwest",
];

pub(crate) fn leaks_nothing(group: &Group<'_>, name: &str, answer: &Answer) {
    if let Some(word) = INSIDE.iter().find(|word| answer.body.contains(*word)) {
        group.judged(
            format!("{name}: shows nothing of the inside"),
            false,
            format!("{word}: {}", answer.body),
        );
    }
}
