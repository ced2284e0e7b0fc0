//! What a subgraph owes a router, asked of each of ours: the checks that audits of federation make.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use async_graphql_parser::types::{TypeKind, TypeSystemDefinition};
use roster::SERVICES;
use serde_json::{Value, json};

use crate::Case;
use crate::world::{Person, World, root};

pub(crate) const CASES: &[Case] = &[
    ("subgraphs: each tells the SDL that was composed", sdl),
    (
        "subgraphs: each representation stands for itself",
        representations,
    ),
    ("subgraphs: a field that fails is null where it stands", fields),
    (
        "subgraphs: what is required is used, what is provided is given",
        requires_and_provides,
    ),
];

/// An entity of a subgraph.
struct Entity {
    service: &'static str,
    kind: &'static str,
    /// A representation of one that is there.
    there: Value,
    /// A representation of one that nobody made.
    gone: Value,
    /// Whether the subgraph knows which there are. Others add to whatever they are asked about.
    owned: bool,
}

/// What the SDLs say: each entity of each subgraph by its id. Whoever extends an entity that is known here needs nothing
/// more; one that is new needs a line.
fn entities(world: &World) -> Result<Vec<Entity>> {
    let things = &world.things;
    let known = [
        ("Cart", &things.cart, "cart", "cart"),
        ("Category", &things.category, "cat", "product"),
        ("Order", &things.order, "ord", "order"),
        ("Payment", &things.payment, "pay", "payment"),
        ("Product", &things.product, "prod", "product"),
        ("ProductVariant", &things.variant, "var", "product"),
        ("Review", &things.review, "rev", "review"),
        ("User", &things.ada.id, "usr", "auth"),
    ];
    let mut all = Vec::new();
    for service in SERVICES {
        for fact in committed(service)? {
            for (kind, id, prefix, owner) in known {
                if fact.starts_with(&format!("type {kind} ")) && is_entity(&fact) {
                    let gone = format!("{prefix}_01h455vb4pex5vsknk084sn02q");
                    all.push(Entity {
                        service,
                        kind,
                        there: json!({ "__typename": kind, "id": id }),
                        gone: json!({ "__typename": kind, "id": gone }),
                        owned: service == owner,
                    });
                }
            }
        }
    }
    all.push(Entity {
        service: "product",
        kind: "ProductVariant",
        there: json!({ "__typename": "ProductVariant", "sku": things.sku }),
        gone: json!({ "__typename": "ProductVariant", "sku": "NOBODYS" }),
        owned: true,
    });
    Ok(all)
}

/// Whether a type can be asked for by a key.
fn is_entity(fact: &str) -> bool {
    fact.contains("@key") && !fact.contains("resolvable: false")
}

/// What the committed SDL of a subgraph says.
fn committed(service: &str) -> Result<BTreeSet<String>> {
    let file = root().join("subgraphs").join(service).join("schema.graphql");
    facts(&std::fs::read_to_string(file)?)
}

/// One representation and what must stand in its place.
struct Try {
    name: String,
    sent: Value,
    given: bool,
    code: Option<&'static str>,
}

impl World {
    /// What stands for these representations, as an administrator sees it.
    async fn entities(&self, service: &str, sent: &[&Value], selection: &str) -> Result<Value> {
        self.entities_as(&self.things.admin, service, sent, selection)
            .await
    }

    async fn entities_as(
        &self,
        who: &Person,
        service: &str,
        sent: &[&Value],
        selection: &str,
    ) -> Result<Value> {
        let query =
            format!("query ($r: [_Any!]!) {{ _entities(representations: $r) {{ __typename {selection} }} }}");
        self.ask(service, who, &query, json!({ "r": sent })).await
    }
}

/// All kinds of a subgraph in one list: whole ones, ones that are not there, ones that can't be read, and each again.
fn representations(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let all = entities(world)?;
        // Who has no entity has no `_entities`.
        let with_entities = |service: &&str| all.iter().any(|entity| entity.service == *service);
        for service in SERVICES.into_iter().filter(with_entities) {
            let mut tries = vec![
                fails("an unknown type", json!({ "__typename": "Secret", "id": "x" })),
                fails(
                    "a type that is no entity",
                    json!({ "__typename": "Query", "id": "x" }),
                ),
                fails("no type", json!({ "id": "x" })),
            ];
            for entity in all.iter().filter(|entity| entity.service == service) {
                let kind = entity.kind;
                let of = |what: &str, sent: &Value, given| Try {
                    name: format!("{kind}: {what}"),
                    sent: sent.clone(),
                    given,
                    code: None,
                };
                tries.push(of("there", &entity.there, true));
                tries.push(of("gone", &entity.gone, !entity.owned));
                tries.push(fails(
                    &format!("{kind}: without its key"),
                    json!({ "__typename": kind }),
                ));
                let odd = json!({ "__typename": kind, "id": { "a": 1 } });
                tries.push(fails(&format!("{kind}: with an object as key"), odd));
                tries.push(of("the same again", &entity.there, true));
            }
            judge(world, service, &tries).await?;
            // The order of a list is the asker's.
            tries.reverse();
            judge(world, service, &tries).await?;
        }
        Ok(())
    })
}

fn fails(name: &str, sent: Value) -> Try {
    Try {
        name: name.to_owned(),
        sent,
        given: false,
        code: Some("BAD_USER_INPUT"),
    }
}

async fn judge(world: &World, service: &'static str, tries: &[Try]) -> Result<()> {
    let sent: Vec<&Value> = tries.iter().map(|one| &one.sent).collect();
    let answer = world.entities(service, &sent, "").await?;
    let given = answer["data"]["_entities"]
        .as_array()
        .with_context(|| format!("{service}: {answer}"))?;
    ensure!(given.len() == tries.len(), "{service}: {answer}");
    for (place, (one, given)) in tries.iter().zip(given).enumerate() {
        let errors: Vec<&Value> = errors(&answer)
            .filter(|error| error["path"] == json!(["_entities", place]))
            .collect();
        let codes: Vec<Option<&str>> = errors
            .iter()
            .map(|error| error["extensions"]["code"].as_str())
            .collect();
        let name = format!("{service} {}", one.name);
        let wanted: Vec<Option<&str>> = one.code.iter().map(|code| Some(*code)).collect();
        ensure!(codes == wanted, "{name}: {codes:?} in {answer}");
        if one.given {
            ensure!(given["__typename"] == one.sent["__typename"], "{name}: {given}");
        } else {
            ensure!(given.is_null(), "{name}: {given}");
        }
    }
    let coded = tries.iter().filter(|one| one.code.is_some()).count();
    ensure!(
        errors(&answer).count() == coded,
        "{service}: other errors in {answer}"
    );
    Ok(())
}

fn errors(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["errors"].as_array().into_iter().flatten()
}

/// A field that fails stands between two that do not.
fn fields(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let things = &world.things;
        let variant =
            |sku: Option<&str>| json!({ "__typename": "ProductVariant", "id": things.variant, "sku": sku });
        let bare = json!({ "__typename": "ProductVariant", "id": things.variant });
        let (with, sku) = (variant(Some(&things.sku)), json!(things.sku));
        // Nullable: the field alone is null.
        let answer = world
            .entities(
                "inventory",
                &[&with, &bare, &with],
                "... on ProductVariant { id availability { status } }",
            )
            .await?;
        let given = &answer["data"]["_entities"];
        ensure!(given[1]["id"] == things.variant.as_str(), "{answer}");
        ensure!(given[1].get("availability") == Some(&Value::Null), "{answer}");
        for place in [0, 2] {
            ensure!(given[place]["availability"]["status"].is_string(), "{answer}");
        }
        one_error(
            &answer,
            &json!(["_entities", 1, "availability"]),
            "BAD_USER_INPUT",
        )?;
        // Not nullable: its entity is.
        let answer = world
            .entities(
                "inventory",
                &[&with, &bare, &with],
                "... on ProductVariant { id named: sku }",
            )
            .await?;
        let given = &answer["data"]["_entities"];
        ensure!(
            given[0]["named"] == sku && given[1].is_null() && given[2]["named"] == sku,
            "{answer}"
        );
        one_error(&answer, &json!(["_entities", 1, "named"]), "BAD_USER_INPUT")?;
        // What somebody may not see fails for that one alone.
        let user = |id: &str| json!({ "__typename": "User", "id": id });
        for (service, field, selection) in [
            ("cart", "activeCart", "... on User { activeCart { id } }"),
            (
                "notification",
                "notifications",
                "... on User { notifications(first: 1) { nodes { id } } }",
            ),
            (
                "order",
                "orders",
                "... on User { orders(first: 1) { nodes { id } } }",
            ),
        ] {
            let (bob, ada) = (user(&things.bob.id), user(&things.ada.id));
            let answer = world
                .entities_as(&things.bob, service, &[&bob, &ada, &bob], selection)
                .await?;
            let given = &answer["data"]["_entities"];
            ensure!(
                given.as_array().is_some_and(|all| all.len() == 3),
                "{service}: {answer}"
            );
            ensure!(given[1][field].is_null(), "{service}: {answer}");
            ensure!(
                given[0].is_object() && given[0] == given[2],
                "{service}: {answer}"
            );
            one_error(&answer, &json!(["_entities", 1, field]), "FORBIDDEN")?;
        }
        Ok(())
    })
}

fn one_error(answer: &Value, path: &Value, code: &str) -> Result<()> {
    let found: Vec<&Value> = errors(answer).collect();
    ensure!(found.len() == 1, "{answer}");
    ensure!(found[0]["path"] == *path, "{answer}");
    ensure!(found[0]["extensions"]["code"] == code, "{answer}");
    Ok(())
}

/// `@requires` (inventory, payment, order) and `@provides` (order): each with two representations that differ.
fn requires_and_provides(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let things = &world.things;
        let variant = |sku: &str, grams: u32| {
            json!({ "__typename": "ProductVariant", "id": things.variant, "sku": sku, "weightGrams": grams })
        };
        let selection = "... on ProductVariant { availability { status } shippingEstimate(countryCode: \"US\") { amount } }";
        let sent = [variant(&things.sku, 200), variant("NOBODYS", 40_000)];
        let answer = world.entities("inventory", &[&sent[0], &sent[1]], selection).await?;
        let given = &answer["data"]["_entities"];
        ensure!(given[0]["availability"]["status"] == "IN_STOCK", "{answer}");
        ensure!(given[1]["availability"]["status"] == "OUT_OF_STOCK", "{answer}");
        let estimate = |place: usize| given[place]["shippingEstimate"]["amount"].as_str();
        ensure!(estimate(0).is_some() && estimate(0) != estimate(1), "{answer}");

        let money = |amount: &str| json!({ "amount": amount, "currencyCode": "USD" });
        let unpaid = |amount| {
            json!({ "__typename": "Order", "id": "ord_01h455vb4pex5vsknk084sn02q", "total": money(amount) })
        };
        let sent = [unpaid("12.50"), unpaid("99.00")];
        let selection = "... on Order { amountDue { amount } }";
        let answer = world.entities("payment", &[&sent[0], &sent[1]], selection).await?;
        ensure!(errors(&answer).count() == 0, "{answer}");

        let cart = |code: Value| {
            json!({ "__typename": "Cart", "id": things.cart, "couponCode": code, "subtotal": money("12.50") })
        };
        let sent = [cart(Value::Null), cart(json!("NO-SUCH-CODE"))];
        let selection = "... on Cart { coupon { code } }";
        let answer = world.entities("order", &[&sent[0], &sent[1]], selection).await?;
        let given = &answer["data"]["_entities"];
        ensure!(given[0]["coupon"].is_null(), "{answer}");
        ensure!(given[1]["coupon"]["code"] == "NO-SUCH-CODE", "{answer}");

        let order = json!({ "__typename": "Order", "id": things.order });
        let selection = "... on Order { lines { variant { __typename id sku } } }";
        let answer = world.entities("order", &[&order], selection).await?;
        let provided = &answer["data"]["_entities"][0]["lines"][0]["variant"];
        let wanted = json!({ "__typename": "ProductVariant", "id": things.variant, "sku": things.sku });
        ensure!(*provided == wanted, "{answer}");
        Ok(())
    })
}

/// `_service { sdl }` says what the committed file says, from which the supergraph was composed; and every entity in
/// it is tried by these tests.
fn sdl(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let all = entities(world)?;
        for service in SERVICES {
            let query = "{ _service { sdl } }";
            let answer = world.ask(service, &world.things.bob, query, json!({})).await?;
            let served = answer["data"]["_service"]["sdl"].as_str().context("no SDL")?;
            let (served, committed) = (facts(served)?, committed(service)?);
            let differences: Vec<&String> = served.symmetric_difference(&committed).collect();
            ensure!(differences.is_empty(), "{service}: {differences:#?}");
            for link in [
                "specs.apollo.dev/federation/v2.5\"",
                "\"@key\"",
                "\"@tag\"",
                "\"@shareable\"",
            ] {
                let linked = |fact: &&String| fact.starts_with("extend schema @link") && fact.contains(link);
                ensure!(
                    served.iter().any(|fact| linked(&fact)),
                    "{service} does not link {link}"
                );
            }
            // Value types are everybody's, internal things are marked.
            for fact in &served {
                let is_value = fact.starts_with("type Money ") || fact.starts_with("type PageInfo ");
                ensure!(!is_value || fact.contains("@shareable"), "{service}: {fact}");
            }
            for fact in served.iter().filter(|fact| fact.starts_with("type ")) {
                let kind = fact.split(' ').nth(1).unwrap_or_default();
                if !is_entity(fact) {
                    continue;
                }
                let keys = fact.matches("@key").count();
                let tried = all
                    .iter()
                    .filter(|entity| entity.service == service && entity.kind == kind)
                    .count();
                ensure!(
                    tried == keys,
                    "{service} {kind} has {keys} keys and {tried} are tried"
                );
            }
        }
        Ok(())
    })
}

/// A line for the schema's links, for each type and each field, with its directives, whatever the order.
fn facts(sdl: &str) -> Result<BTreeSet<String>> {
    let document = async_graphql_parser::parse_schema(sdl)?;
    let mut facts = BTreeSet::new();
    for definition in &document.definitions {
        match definition {
            TypeSystemDefinition::Schema(schema) if schema.node.extend => {
                let links = words(&schema.node.directives);
                facts.insert(format!("extend schema {links}"));
            }
            TypeSystemDefinition::Type(kind) => {
                let name = kind.node.name.node.as_str();
                if is_federations(name) {
                    continue;
                }
                facts.insert(format!("type {name} {}", words(&kind.node.directives)));
                let fields = match &kind.node.kind {
                    TypeKind::Object(object) => &object.fields,
                    TypeKind::Interface(interface) => &interface.fields,
                    _ => continue,
                };
                for field in fields {
                    if is_federations(field.node.name.node.as_str()) {
                        continue;
                    }
                    // async-graphql has tags for every place but the fields of a subscription; the committed SDL has
                    // them from order, and a router never asks a subgraph for its own.
                    let directives = match name {
                        "Subscription" => String::new(),
                        _ => words(&field.node.directives),
                    };
                    let arguments: BTreeSet<String> = field
                        .node
                        .arguments
                        .iter()
                        .map(|argument| format!("{}: {}", argument.node.name.node, argument.node.ty.node))
                        .collect();
                    facts.insert(format!(
                        "{name}.{}{arguments:?}: {} {}",
                        field.node.name.node, field.node.ty.node, directives
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(facts)
}

/// What the specification adds to every subgraph: it may be told or left out.
fn is_federations(name: &str) -> bool {
    name.starts_with('_') || name.contains("__")
}

type Directives = [async_graphql_parser::Positioned<async_graphql_parser::types::ConstDirective>];

fn words(directives: &Directives) -> String {
    let mut words: Vec<String> = directives
        .iter()
        .map(|directive| {
            let arguments: BTreeSet<String> = directive
                .node
                .arguments
                .iter()
                .map(|(name, value)| format!("{}: {}", name.node, value.node))
                .collect();
            let arguments: Vec<String> = arguments.into_iter().collect();
            format!("@{}({})", directive.node.name.node, arguments.join(", "))
        })
        .collect();
    words.sort();
    words.join(" ")
}
