//! Two contracts: the public address serves the public graph, to staff as to anyone; the staff's address the whole.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::world::{World, root};

pub(crate) const CASES: &[Case] = &[
    (
        "what is internal is unknown at the public address, to staff too",
        unknown,
    ),
    (
        "the staff's address serves the whole graph to those with the role",
        whole,
    ),
    ("each address shows its own schema", schemas),
];

const UNKNOWN: &str = "GRAPHQL_VALIDATION_FAILED";

/// Operations on a field, an argument's type, a value and a root that are internal.
fn internal(order: &str) -> [(&'static str, Value); 4] {
    [
        ("{ users(first: 1) { nodes { id } } }", json!({})),
        ("{ orders(first: 1) { nodes { id } } }", json!({})),
        (
            "query ($id: ID!) { order(id: $id) { id saga { step } } }",
            json!({ "id": order }),
        ),
        (
            "query ($filter: OrderFilter) { orders(filter: $filter) { nodes { id } } }",
            json!({}),
        ),
    ]
}

fn unknown(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(2).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        let public = ada.url();
        for (who, graph) in [
            ("nobody", world.anyone().clone()),
            ("a customer", ada.clone()),
            ("an administrator", world.admin().at(public)),
        ] {
            for (query, variables) in internal(&order) {
                let answer = graph.ask(query, variables).await?;
                let code = &answer["errors"][0]["extensions"]["code"];
                ensure!(code == UNKNOWN, "{query} by {who}: {answer}");
                ensure!(answer["data"].is_null(), "{query} by {who}: {answer}");
            }
        }
        // What is public is the same at both.
        let query = "query ($id: ID!) { order(id: $id) { id total { amount } } }";
        let variables = json!({ "id": order });
        let there = ada.data(query, variables.clone()).await?;
        ensure!(
            there == world.staff_as(&ada).data(query, variables).await?,
            "{there}"
        );
        Ok(())
    })
}

fn whole(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(2).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        for (query, variables) in internal(&order) {
            world
                .admin()
                .data(query, variables.clone())
                .await
                .context(query)?;
            let code = world.staff_as(&ada).fault(query, variables).await?;
            ensure!(code == "FORBIDDEN", "{query} by a customer: {code}");
        }
        Ok(())
    })
}

fn schemas(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let query = "{ __schema { types { name fields { name } } } }";
        for (graph, file) in [
            (world.anyone().clone(), "api.public.graphql"),
            (world.admin().clone(), "api.graphql"),
        ] {
            let data = graph.data(query, json!({})).await?;
            let types = data["__schema"]["types"].as_array().context("no types")?;
            let served: Vec<&str> = types
                .iter()
                .find(|kind| kind["name"] == "Order")
                .and_then(|kind| kind["fields"].as_array())
                .context("no orders")?
                .iter()
                .filter_map(|field| field["name"].as_str())
                .collect();
            let text = std::fs::read_to_string(root().join("router").join(file))?;
            let whole = text.contains("saga: Saga");
            ensure!(served.contains(&"saga") == whole, "{file}: {served:?}");
            ensure!(whole == (file == "api.graphql"), "{file} is not what it was");
        }
        Ok(())
    })
}
