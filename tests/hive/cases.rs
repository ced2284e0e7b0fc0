//! What the federating edge must do, and what it must not.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::client::{Graph, Watch};
use crate::world::{Variant, World, fresh_key};

pub(crate) const CASES: &[Case] = &[
    ("queries and mutations go as through the other router", buys),
    (
        "events carry fields of product, over the WebSocket",
        over_websocket,
    ),
    ("events carry fields of product, over SSE", over_sse),
    (
        "whoever asks the same as the buyer hears nothing of it",
        not_yours,
    ),
    ("what a buyer is told carries fields of the order", told),
    ("what is internal is not in its graph", nothing_internal),
    ("the answer tells the correlation id it was sent", correlated),
];

/// Fields of order, product and payment in one event.
const DOCUMENT: &str = "subscription Watched($id: ID!) { orderProgress(orderId: $id, afterSequence: 0) {
    event { sequence step status }
    order { id status lines { quantity variant { sku product { title } } } payment { status } } } }";

/// Longer than any order of these tests takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A new customer who watches where subscriptions are federated.
async fn customer(world: &World) -> Result<Graph> {
    let url = world.stack.plan().federated_websocket_url();
    let url = url.context("nothing federates subscriptions")?;
    Ok(world.customer().await?.on_websocket(&url))
}

fn buys(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (customer(world).await?, world.product(5).await?);
        let shown = world
            .anyone()
            .data(
                "query ($slug: String!) { product(slug: $slug) { title variants { availability { status } } } }",
                json!({ "slug": variant.slug }),
            )
            .await?;
        ensure!(shown["product"]["variants"][0]["availability"]["status"] == "LOW_STOCK"
            || shown["product"]["variants"][0]["availability"]["status"] == "IN_STOCK", "{shown}");
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        let steps = ada.watch(&order, 0).await?;
        let last = steps.last().context("no steps")?;
        ensure!(last["step"] == "PAID", "{steps:?}");
        Ok(())
    })
}

/// Each step once and in order, each with what product says of the line.
fn check(progress: &[Value], variant: &Variant) -> Result<()> {
    let sequences: Vec<_> = progress
        .iter()
        .filter_map(|one| one["event"]["sequence"].as_i64())
        .collect();
    let count = i64::try_from(progress.len())?;
    ensure!(sequences == (1..=count).collect::<Vec<_>>(), "{progress:?}");
    for one in progress {
        let line = &one["order"]["lines"][0];
        ensure!(
            line["variant"]["sku"] == variant.sku.as_str()
                && line["variant"]["product"]["title"] == "Test article"
                && line["quantity"] == 2,
            "{one}"
        );
    }
    let last = progress.last().context("no event")?;
    ensure!(last["event"]["step"] == "PAID", "{last}");
    ensure!(last["order"]["payment"]["status"] == "CAPTURED", "{last}");
    Ok(())
}

fn over_websocket(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (customer(world).await?, world.product(5).await?);
        let order = ada.buy(&variant, 2, "pm_mercato_slow").await?;
        let mut watch = Watch::subscribe(&ada, "orderProgress", DOCUMENT, json!({ "id": order })).await?;
        let mut progress = Vec::new();
        while progress
            .last()
            .is_none_or(|last: &Value| last["event"]["step"] != "PAID")
        {
            progress.push(watch.next_progress().await?);
        }
        ensure!(watch.next().await?.is_none(), "a final state ends the stream");
        check(&progress, &variant)
    })
}

fn over_sse(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (customer(world).await?, world.product(5).await?);
        let order = ada.buy(&variant, 2, "pm_mercato_slow").await?;
        let progress = tokio::time::timeout(PATIENCE, sent(&ada, &order)).await??;
        check(&progress, &variant)
    })
}

/// The events of an order until the stream is complete, by the `graphql-sse` protocol's distinct connections.
async fn sent(graph: &Graph, order: &str) -> Result<Vec<Value>> {
    let mut response = service_kit::http::client(PATIENCE)
        .post(graph.url())
        .bearer_auth(graph.token())
        .header("accept", "text/event-stream")
        .json(&json!({ "query": DOCUMENT, "variables": { "id": order } }))
        .send()
        .await?;
    let media = response.headers().get("content-type").cloned();
    ensure!(
        media
            .as_ref()
            .is_some_and(|media| media.as_bytes().starts_with(b"text/event-stream")),
        "not a stream of events but {media:?}: {}",
        response.text().await?
    );
    let mut text = String::new();
    let mut progress = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        text.push_str(std::str::from_utf8(&chunk)?);
        while let Some((event, rest)) = text.split_once("\n\n") {
            let kind = event
                .lines()
                .find_map(|line| line.strip_prefix("event:"))
                .map(str::trim);
            let data = event
                .lines()
                .find_map(|line| line.strip_prefix("data:"))
                .map(str::trim);
            match (kind, data) {
                (Some("next"), Some(data)) => {
                    let mut answer: Value = serde_json::from_str(data)?;
                    ensure!(answer.get("errors").is_none(), "{answer}");
                    progress.push(answer["data"]["orderProgress"].take());
                }
                (Some("complete"), _) => return Ok(progress),
                // A comment that keeps the connection open.
                _ => {}
            }
            text = rest.to_owned();
        }
    }
    bail!("the stream ended before it was complete: {progress:?}")
}

/// Edges of this kind share a subscription among those who ask the same: it must not be shared with a stranger.
fn not_yours(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, bob, variant) = (
            customer(world).await?,
            customer(world).await?,
            world.product(5).await?,
        );
        let order = ada.buy(&variant, 1, "pm_mercato_slow").await?;
        let about = || json!({ "id": order });
        let mut hers = Watch::subscribe(&ada, "orderProgress", DOCUMENT, about()).await?;
        let first = hers.next_progress().await?;
        ensure!(first["event"]["step"] == "CREATED", "{first}");
        let anyone = bob.signed_in("");
        for stranger in [&bob, &anyone] {
            let mut watch = Watch::subscribe(stranger, "orderProgress", DOCUMENT, about()).await?;
            let heard = watch.next().await;
            ensure!(
                !matches!(&heard, Ok(Some(step)) if !step.is_null()),
                "a stranger heard {heard:?}"
            );
        }
        Ok(())
    })
}

/// Notification tells that there is news, order how it stands and what was bought.
fn told(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (customer(world).await?, world.product(5).await?);
        let query = "subscription Told { notificationReceived { kind title
            order { id status lines { variant { product { title } } } } } }";
        let mut watch = Watch::subscribe(&ada, "notificationReceived", query, json!({})).await?;
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            let notification = watch.next_progress().await?;
            let about = &notification["order"];
            ensure!(about["id"] == order.as_str(), "{notification}");
            let title = &about["lines"][0]["variant"]["product"]["title"];
            ensure!(
                title == "Test article" && about["status"].is_string(),
                "{notification}"
            );
            kinds.push(notification["kind"].as_str().context("a kind")?.to_owned());
        }
        kinds.sort();
        ensure!(kinds == ["ORDER_PAID", "ORDER_RECEIVED"], "{kinds:?}");
        Ok(())
    })
}

fn nothing_internal(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let admin = world.anyone().signed_in(world.admin().token());
        for document in [
            "subscription { orderFeed { event { step } } }",
            "query { orders(first: 1) { nodes { id } } }",
        ] {
            let answer = admin.ask(document, json!({})).await?;
            ensure!(answer["errors"][0]["message"].is_string(), "{document}: {answer}");
            ensure!(answer["data"].is_null(), "{document}: {answer}");
        }
        Ok(())
    })
}

fn correlated(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let id = fresh_key();
        let (told, _) = world
            .anyone()
            .correlated(&id)
            .ask_told("{ categories { id } }", json!({}))
            .await?;
        ensure!(told == id, "sent {id}, told {told}");
        Ok(())
    })
}
