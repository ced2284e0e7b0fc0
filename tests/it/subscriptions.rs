//! Live order progress: each step once and in order, from any process, and again after a reconnect.

use anyhow::{Result, ensure};
use futures::future::try_join;
use serde_json::{Value, json};

use crate::Case;
use crate::client::Watch;
use crate::world::{World, steps};

pub(crate) const CASES: &[Case] = &[
    ("a reconnect resumes after the last sequence seen", resumes),
    ("every process of order delivers the same steps", replicas),
    ("a watcher who comes late gets the whole history", late),
    ("another's order can't be watched", not_yours),
    ("the operators' feed shows everybody's orders", feed),
    ("a subscription sent to the router is refused", over_http),
];

fn sequences(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .filter_map(|event| event["sequence"].as_i64())
        .collect()
}

fn resumes(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_mercato_slow").await?;
        let mut first = Watch::open(&ada, &order, 0).await?;
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.extend(first.next().await?);
        }
        drop(first);
        let last = *sequences(&seen).last().unwrap();
        seen.extend(ada.watch(&order, last).await?);
        ensure!(
            sequences(&seen) == (1..=i64::try_from(seen.len())?).collect::<Vec<_>>(),
            "{seen:?}"
        );
        ensure!(steps(&seen).last() == Some(&"PAID"), "{seen:?}");
        let whole = ada.watch(&order, 0).await?;
        ensure!(whole == seen, "resumed {seen:?} but whole {whole:?}");
        Ok(())
    })
}

fn replicas(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let second = ada.on_websocket(&world.stack.plan().websocket_url("order-2"));
        let order = ada.buy(&variant, 1, "pm_mercato_slow").await?;
        let (here, there) = try_join(ada.watch(&order, 0), second.watch(&order, 0)).await?;
        ensure!(here == there, "{here:?} but {there:?}");
        ensure!(steps(&here).last() == Some(&"PAID"), "{here:?}");
        Ok(())
    })
}

fn late(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        let live = ada.watch(&order, 0).await?;
        let late = ada.watch(&order, 0).await?;
        ensure!(live == late, "{live:?} but {late:?}");
        ensure!(ada.watch(&order, i64::try_from(live.len())?).await?.is_empty());
        Ok(())
    })
}

fn not_yours(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, bob, variant) = (
            world.customer().await?,
            world.customer().await?,
            world.product(5).await?,
        );
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        ensure!(bob.watch(&order, 0).await.is_err(), "bob watches ada's order");
        ensure!(
            world.anyone().watch(&order, 0).await.is_err(),
            "anyone watches ada's order"
        );
        Ok(())
    })
}

fn feed(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let mut feed = Watch::feed(world.admin()).await?;
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        let mut seen = Vec::new();
        while steps(&seen).last() != Some(&"PAID") {
            let progress = feed.next_progress().await?;
            if progress["order"]["id"] == order.as_str() {
                seen.push(progress["event"].clone());
            }
        }
        let whole = sequences(&ada.watch(&order, 0).await?);
        ensure!(whole.ends_with(&sequences(&seen)), "{seen:?}");
        ensure!(
            Watch::feed(&ada).await?.next().await.is_err(),
            "a customer reads the feed"
        );
        Ok(())
    })
}

fn over_http(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let answer = world
            .admin()
            .ask("subscription { orderFeed { event { step } } }", json!({}))
            .await?;
        ensure!(
            answer["errors"][0]["extensions"]["code"]
                .as_str()
                .is_some_and(|code| code.starts_with("SUBSCRIPTION")),
            "{answer}"
        );
        Ok(())
    })
}
