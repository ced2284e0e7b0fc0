//! A backup that was taken while people bought is put back: the books tell one story, and the shop goes on.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::client::Graph;
use crate::commands::System;
use crate::shoppers::{Shoppers, must_be_paid};
use crate::world::World;

pub(crate) const CASES: &[Case] = &[("a backup under load is restored to one moment", restored)];

/// The invariant that compares our books with the provider's.
const PROVIDER: &str = "I16";

fn restored(system: &System) -> Result<()> {
    let backup = system.path("backup");
    let backup = backup.to_str().context("a path")?;
    let world = system.world()?;
    let (ada, variant) = world
        .runtime
        .block_on(async { anyhow::Ok((world.customer().await?, world.product(5_000).await?)) })?;
    let buy = |world: &World| -> Result<String> {
        let order = world
            .runtime
            .block_on(ada_of(&ada, world).buy_stubbornly(&variant.id, 0))?;
        must_be_paid(world, &ada_of(&ada, world), &order)?;
        Ok(order)
    };
    let before = [buy(&world)?, buy(&world)?, buy(&world)?];
    let cart = world.runtime.block_on(ada.cart(&variant, 2))?;
    let shoppers = Shoppers::enter(&world, &ada, &variant, 2);
    let backed_up = system.must(&["backup", backup]);
    let meanwhile = shoppers.leave(&world)?;
    backed_up?;
    for each in &meanwhile {
        must_be_paid(&world, &ada, &each.order)?;
    }
    let after = [buy(&world)?, buy(&world)?];
    let refused = system.xtask(&["restore", backup])?;
    ensure!(!refused.status.success(), "a running system was restored");
    drop(world);

    system.must(&["down"])?;
    system.must(&["restore", backup])?;
    system.start()?;
    let world = system.world()?;
    let ada = ada_of(&ada, &world);
    for order in &before {
        must_be_paid(&world, &ada, order)?;
    }
    for order in &after {
        let found = world.runtime.block_on(ada.order(order))?;
        ensure!(found.is_null(), "an order of later is there: {found}");
    }
    ensure!(
        quantity(&world, &ada, &cart)? == json!(2),
        "the cart is not as it was"
    );

    // All books agree among themselves; only the provider knows more.
    let notes = settle(system, &world)?;
    let told = |order: &String| notes.iter().any(|note| note.contains(order.as_str()));
    ensure!(
        after.iter().all(told),
        "not all later charges are found: {notes:#?}"
    );
    ensure!(!before.iter().any(told), "{notes:#?}");
    buy(&world)?;
    system.audit(&[]).map(drop)
}

/// Gives back what only the provider knows of, until the books agree; what was said about each. The auditor tells the
/// first twenty of many at a time.
fn settle(system: &System, world: &World) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for _ in 0..20 {
        let notes = system.audit(&[PROVIDER])?;
        if notes.is_empty() {
            return Ok(all);
        }
        let charges: Vec<&str> = notes.iter().filter_map(|note| charge(note)).collect();
        ensure!(!charges.is_empty(), "nothing to give back: {notes:#?}");
        for intent in charges {
            world.runtime.block_on(give_back(world, intent))?;
        }
        all.extend(notes);
    }
    bail!("there is no end of charges: {all:#?}")
}

/// The same person at a system that may have moved.
fn ada_of(ada: &Graph, world: &World) -> Graph {
    world.anyone().signed_in(ada.token())
}

fn quantity(world: &World, ada: &Graph, cart: &str) -> Result<Value> {
    let query = "query ($id: ID!) { cart(id: $id) { lines { quantity } } }";
    let data = world.runtime.block_on(ada.data(query, json!({ "id": cart })))?;
    Ok(data["cart"]["lines"][0]["quantity"].clone())
}

/// The provider's reference of a charge that our books don't know.
fn charge(note: &str) -> Option<&str> {
    note.strip_suffix(", which our books don't know")?
        .rsplit_once(" as ")
        .map(|(_, intent)| intent)
}

/// What the runbook asks for: the buyer's money goes back at the provider.
async fn give_back(world: &World, intent: &str) -> Result<()> {
    let plan = world.stack.plan();
    let http = service_kit::http::client(std::time::Duration::from_secs(15));
    let answer = http
        .post(format!("{}/v1/refunds", plan.psp_url()))
        .bearer_auth(&plan.psp_api_key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("payment_intent={intent}"))
        .send()
        .await?;
    let status = answer.status();
    ensure!(status.is_success(), "{status}: {}", answer.text().await?);
    Ok(())
}
