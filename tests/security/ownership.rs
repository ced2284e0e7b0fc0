//! Whose is what: a rule for each field of the graph, and each rule tried as everybody.
//!
//! `ownership.rules` names every field of every object type. A field that is not in it fails the test, so that nobody
//! adds one without saying whom it is for.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::people::{Person, fresh_key};
use crate::schema::{Field, Input, Supergraph};
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("ownership: every field has a rule", complete),
    ("ownership: fields of what is somebody's", fields),
    ("ownership: queries and mutations", roots),
    ("ownership: the same through _entities", entities),
];

const RULES: &str = include_str!("ownership.rules");

/// For whom a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Everybody.
    Public,
    /// Part of what its parent's rule already guards: a payload, a page, a line.
    Inherits,
    /// The one it belongs to, and staff.
    Owner,
    /// Whoever is signed in, about themselves.
    User,
    /// Support and administrators.
    Staff,
    /// Administrators.
    Admin,
}

fn rules() -> Result<BTreeMap<String, Rule>> {
    let mut rules = BTreeMap::new();
    for line in RULES.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (path, word) = line.split_once(' ').with_context(|| line.to_owned())?;
        let rule = match word.trim() {
            "public" => Rule::Public,
            "inherits" => Rule::Inherits,
            "owner" => Rule::Owner,
            "user" => Rule::User,
            "staff" => Rule::Staff,
            "admin" => Rule::Admin,
            other => bail!("{path}: there is no rule {other}"),
        };
        anyhow::ensure!(
            rules.insert(path.to_owned(), rule).is_none(),
            "{path} has two rules"
        );
    }
    Ok(rules)
}

fn complete(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "ownership: rules").await?;
        let (rules, graph) = (rules()?, Supergraph::read()?);
        let known: BTreeSet<String> = graph.fields.iter().map(Field::path).collect();
        for path in &known {
            let rule = rules.get(path);
            let said = rule.map_or_else(
                || "NO RULE: add it to tests/security/ownership.rules".to_owned(),
                |rule| format!("{rule:?}"),
            );
            group.control(format!("{path} has a rule"), rule.is_some(), said);
        }
        for path in rules.keys().filter(|path| !known.contains(*path)) {
            group.control(
                format!("{path} is a field"),
                false,
                "a rule for what is not there",
            );
        }
        group.end().await
    })
}

/// Who asks, by name; `ada` owns everything that is asked for.
fn everybody(world: &World) -> [(&'static str, Option<&Person>); 5] {
    let people = &world.people;
    [
        ("nobody", None),
        ("another", Some(&people.bob)),
        ("the owner", Some(&people.ada)),
        ("support", Some(&people.support)),
        ("an administrator", Some(&people.admin)),
    ]
}

fn allowed(rule: Rule, who: &str) -> bool {
    match rule {
        Rule::Public | Rule::Inherits => true,
        Rule::Owner => !["nobody", "another"].contains(&who),
        Rule::User => who != "nobody",
        Rule::Staff => ["support", "an administrator"].contains(&who),
        Rule::Admin => who == "an administrator",
    }
}

/// What is Ada's, and what has fields for staff, by type: where it is had from, and the subgraphs that know it as an entity.
fn owned(world: &World) -> Vec<(&'static str, String, Vec<&'static str>, String)> {
    let people = &world.people;
    vec![
        (
            "Order",
            format!("order(id: \"{}\")", people.order),
            vec!["order", "payment"],
            people.order.clone(),
        ),
        (
            "Cart",
            format!("cart(id: \"{}\")", people.cart),
            vec!["cart"],
            people.cart.clone(),
        ),
        (
            "User",
            format!("user(id: \"{}\")", people.ada.id),
            vec!["auth", "cart", "order", "notification"],
            people.ada.id.clone(),
        ),
        (
            "Product",
            format!("product(id: \"{}\")", people.product),
            vec!["product"],
            people.product.clone(),
        ),
        (
            "ProductVariant",
            format!("product(id: \"{}\") {{ variants", people.product),
            vec!["product", "inventory"],
            people.variant.clone(),
        ),
        (
            "Payment",
            format!("order(id: \"{}\") {{ payment", people.order),
            vec!["payment"],
            people.payment.clone(),
        ),
    ]
}

/// A field with something selected of it.
fn select(graph: &Supergraph, field: &Field) -> Option<String> {
    if field.arguments.iter().any(|argument| argument.is_required) {
        return None;
    }
    if graph.of_type(&field.yields).next().is_none() {
        return Some(field.name.clone());
    }
    let inner = graph.selection(&field.yields, 0);
    let inner = if inner.is_empty() {
        graph.selection(&field.yields, 1)
    } else {
        inner
    };
    (!inner.is_empty()).then(|| format!("{} {{ {inner}}}", field.name))
}

/// Whether the field itself came back with anything in it: `__typename` and ids one brought along do not count.
fn given(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            (key == name && !value.is_null() && *value != json!([])) || given(value, name)
        }),
        Value::Array(items) => items.iter().any(|item| given(item, name)),
        _ => false,
    }
}

fn fields(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "ownership: fields").await?;
        let (rules, graph) = (rules()?, Supergraph::read()?);
        for (kind, access, _, _) in owned(world) {
            for field in graph.of_type(kind) {
                let Some(selected) = select(&graph, field) else {
                    continue;
                };
                let rule = *rules.get(&field.path()).with_context(|| field.path())?;
                let closing = "}".repeat(access.matches('{').count());
                let query = format!("{{ {access} {{ {selected} }} {closing} }}");
                for (who, person) in everybody(world) {
                    let token = person.map(|person| person.token.as_str());
                    let answer = world.ask(Door::Staff, token, &query, json!({})).await?;
                    let got = given(&answer.json()["data"], &field.name);
                    let name = format!("{} for {who}", field.path());
                    // Only staff find another user by id, themselves included.
                    let reaches = kind != "User" || ["support", "an administrator"].contains(&who);
                    if allowed(rule, who) && reaches {
                        group.control(name, answer.json().get("errors").is_none(), answer.outcome);
                    } else {
                        group.judged(name, !got, answer.outcome);
                    }
                }
            }
        }
        group.end().await
    })
}

fn entities(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "ownership: entities").await?;
        let (rules, graph) = (rules()?, Supergraph::read()?);
        for (kind, _, services, id) in owned(world) {
            for service in services {
                let own = |field: &&Field| field.graphs.is_empty() || field.graphs.iter().any(|graph| graph == service);
                for field in graph.of_type(kind).filter(|field| field.name != "id").filter(own) {
                    let Some(selected) = select(&graph, field) else { continue };
                    let rule = *rules.get(&field.path()).with_context(|| field.path())?;
                    let query = format!("query ($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {kind} {{ {selected} }} }} }}");
                    let variables = json!({ "r": [{ "__typename": kind, "id": id }] });
                    for (who, person) in everybody(world).into_iter().filter(|(who, _)| !allowed(rule, who)) {
                        let token = person.map(|person| person.token.as_str());
                        let answer = world.ask(Door::Service(service), token, &query, variables.clone()).await?;
                        let got = given(&answer.json()["data"], &field.name);
                        group.judged(format!("{service} {} for {who}", field.path()), !got, answer.outcome);
                    }
                }
            }
        }
        group.end().await
    })
}

/// Every query and mutation, with Ada's things as arguments, by everybody who may not.
fn roots(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "ownership: roots").await?;
        let (rules, graph) = (rules()?, Supergraph::read()?);
        for (parent, operation) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in graph.of_type(parent) {
                let rule = *rules.get(&field.path()).with_context(|| field.path())?;
                let arguments: Vec<String> = field
                    .arguments
                    .iter()
                    .filter(|argument| argument.is_required)
                    .map(|argument| {
                        format!(
                            "{}: {}",
                            argument.name,
                            literal(&sample(world, &graph, &field.name, argument))
                        )
                    })
                    .collect();
                let arguments = if arguments.is_empty() {
                    String::new()
                } else {
                    format!("({})", arguments.join(", "))
                };
                let inner = graph.selection(&field.yields, 1);
                let inner = if inner.is_empty() {
                    String::new()
                } else {
                    format!("{{ {inner} }}")
                };
                let query = format!("{operation} {{ {}{arguments} {inner} }}", field.name);
                for (who, person) in everybody(world)
                    .into_iter()
                    .filter(|(who, _)| !allowed(rule, who))
                {
                    let token = person.map(|person| person.token.as_str());
                    let answer = world.ask(Door::Staff, token, &query, json!({})).await?;
                    group.judged(
                        format!("{} by {who}", field.path()),
                        shut(&answer, &field.name),
                        answer.outcome,
                    );
                }
            }
        }
        group.end().await
    })
}

/// Refused by a code, or as if it were not there.
fn shut(answer: &Answer, root: &str) -> bool {
    let json = answer.json();
    let coded = ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"]
        .iter()
        .any(|code| json["errors"][0]["extensions"]["code"] == *code);
    let payload = &json["data"][root];
    let user_error = payload["userErrors"][0]["code"]
        .as_str()
        .is_some_and(|code| code.ends_with("NOT_FOUND"));
    let absent = payload.is_null() && json.get("errors").is_none() && json["data"].is_object();
    (coded && payload.is_null()) || user_error || absent
}

/// A value that an attacker would take: Ada's ids where there are ids.
fn sample(world: &World, graph: &Supergraph, of: &str, input: &Input) -> Value {
    let people = &world.people;
    let one = match (input.name.as_str(), input.kind.as_str()) {
        ("orderId", _) => json!(people.order),
        ("cartId" | "guestCartId", _) => json!(people.cart),
        ("lineId", _) => json!(people.cart_line),
        ("userId", _) => json!(people.ada.id),
        ("productId", _) => json!(people.product),
        ("variantId", _) => json!(people.variant),
        ("sku" | "skus", _) => json!(people.sku),
        ("idempotencyKey", _) => json!(fresh_key()),
        ("code", _) => json!("WELCOME10"),
        ("currencyCode", _) => json!("USD"),
        ("reviewId", _) => json!(people.review),
        ("amount", kind) if !graph.inputs.contains_key(kind) => json!("0.01"),
        ("slug", _) => json!(format!("s{}", fresh_key())),
        ("email", _) => json!(people.ada.email),
        ("id", _) => json!(match of {
            "cart" => &people.cart,
            "user" => &people.ada.id,
            "product" => &people.product,
            _ => &people.order,
        }),
        (_, "DateTime") => json!("2026-11-22T15:42:01Z"),
        (_, "Int") => json!(1),
        (_, "Boolean") => json!(true),
        (_, kind) if graph.enums.contains_key(kind) => json!(format!("enum:{}", graph.enums[kind][0])),
        (_, kind) if graph.inputs.contains_key(kind) => {
            let required = graph.inputs[kind].iter().filter(|field| field.is_required);
            Value::Object(
                required
                    .map(|field| (field.name.clone(), sample(world, graph, of, field)))
                    .collect::<Map<_, _>>(),
            )
        }
        _ => json!("forged value"),
    };
    if input.is_list { json!([one]) } else { one }
}

/// A value as it stands in a document.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => match text.strip_prefix("enum:") {
            Some(name) => name.to_owned(),
            None => value.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", literal(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}
