//! The ways an order can go.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::Case;
use crate::world::{World, eventually, fresh_key, steps};

pub(crate) const CASES: &[Case] = &[
    ("an order is paid and the units are sold", paid),
    (
        "a declined card cancels the order and the stock is back",
        declined,
    ),
    (
        "a sold-out product cancels the order before any payment",
        sold_out,
    ),
    ("a buyer cancels while the payment is slow", cancelled),
    (
        "a payment that comes after the cancellation is refunded once",
        late_payment,
    ),
    (
        "a provider that times out and then answers charges once",
        timeout_then_ok,
    ),
    (
        "an order that is never paid is given up at its deadline",
        deadline,
    ),
    ("fifty submits with one key make one order", duplicates),
    ("a key that comes back with another input is refused", key_reused),
    ("prices are the shop's, not the client's", price_changed),
    ("a checked-out cart is empty", cart_is_empty),
];

const GOOD_END: [&str; 8] = [
    "CREATED",
    "RESERVING_STOCK",
    "STOCK_RESERVED",
    "STARTING_PAYMENT",
    "PAYMENT_STARTED",
    "PAYMENT_CAPTURED",
    "STOCK_CONFIRMED",
    "PAID",
];

fn paid(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(10).await?);
        let order = ada.buy(&variant, 3, "pm_card_visa").await?;
        let events = ada.watch(&order, 0).await?;
        // The event may beat the reply of the payment call, and then there is no PAYMENT_STARTED.
        let seen: Vec<_> = steps(&events);
        let expected: Vec<_> = GOOD_END
            .iter()
            .filter(|step| seen.contains(step) || **step != "PAYMENT_STARTED")
            .copied()
            .collect();
        ensure!(seen == expected, "{seen:?}");
        let sequences: Vec<_> = events.iter().map(|event| event["sequence"].as_i64()).collect();
        ensure!(
            sequences == (1..).map(Some).take(events.len()).collect::<Vec<_>>(),
            "{sequences:?}"
        );
        let order = ada.order(&order).await?;
        ensure!(order["status"] == "PAID" && order["isFinal"] == true, "{order}");
        ensure!(
            order["payment"]["status"] == "CAPTURED" && order["payment"]["amount"]["amount"] == "37.50",
            "{order}"
        );
        ensure!(world.stock(&variant).await? == [10, 7, 0, 3]);
        Ok(())
    })
}

fn declined(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        for method in ["pm_card_chargeDeclined", "pm_card_insufficientFunds"] {
            let order = ada.buy(&variant, 2, method).await?;
            let events = ada.watch(&order, 0).await?;
            ensure!(steps(&events).contains(&"PAYMENT_FAILED"), "{events:?}");
            ensure!(steps(&events).last() == Some(&"CANCELLED"), "{events:?}");
            let order = ada.order(&order).await?;
            ensure!(order["cancelReason"] == "PAYMENT_DECLINED", "{order}");
            ensure!(world.stock(&variant).await? == [5, 5, 0, 0]);
        }
        Ok(())
    })
}

fn sold_out(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(2).await?);
        let order = ada.buy(&variant, 3, "pm_card_visa").await?;
        let events = ada.watch(&order, 0).await?;
        ensure!(steps(&events).contains(&"STOCK_REFUSED"), "{events:?}");
        let order = ada.order(&order).await?;
        ensure!(
            order["status"] == "CANCELLED" && order["cancelReason"] == "OUT_OF_STOCK",
            "{order}"
        );
        ensure!(order["payment"] == Value::Null, "{order}");
        ensure!(world.stock(&variant).await? == [2, 2, 0, 0]);
        Ok(())
    })
}

fn cancelled(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_mercato_never").await?;
        waits_for_payment(world, &ada, &order).await?;
        ensure!(world.stock(&variant).await? == [5, 4, 1, 0]);
        let payload = ada.cancel(&order).await?;
        ensure!(payload["userErrors"] == json!([]), "{payload}");
        let events = ada.watch(&order, 0).await?;
        let seen = steps(&events);
        let position = |step| seen.iter().position(|seen| *seen == step);
        ensure!(
            position("PAYMENT_VOIDED") < position("STOCK_RELEASED"),
            "void comes first: {seen:?}"
        );
        ensure!(position("PAYMENT_VOIDED").is_some(), "{seen:?}");
        let order = ada.order(&order).await?;
        ensure!(
            order["cancelReason"] == "CUSTOMER" && order["payment"]["status"] == "VOIDED",
            "{order}"
        );
        ensure!(world.stock(&variant).await? == [5, 5, 0, 0]);
        Ok(())
    })
}

async fn waits_for_payment(_world: &World, graph: &crate::client::Graph, order: &str) -> Result<()> {
    eventually(
        Duration::from_secs(10),
        "the order waits for its payment",
        || async { Ok(graph.order(order).await?["status"] == "AWAITING_PAYMENT") },
    )
    .await
}

fn late_payment(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 2, "pm_mercato_lateSuccess").await?;
        waits_for_payment(world, &ada, &order).await?;
        ada.cancel(&order).await?;
        eventually(
            Duration::from_secs(30),
            "the late payment is refunded",
            || async { Ok(ada.order(&order).await?["status"] == "REFUNDED") },
        )
        .await?;
        let order = ada.order(&order).await?;
        ensure!(order["payment"]["status"] == "REFUNDED", "{order}");
        ensure!(
            order["payment"]["refunded"]["amount"] == "25.00",
            "refunded once: {order}"
        );
        ensure!(world.stock(&variant).await? == [5, 5, 0, 0]);
        Ok(())
    })
}

fn timeout_then_ok(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_mercato_timeoutThenOk").await?;
        let events = ada.watch(&order, 0).await?;
        ensure!(steps(&events).last() == Some(&"PAID"), "{events:?}");
        ensure!(world.stock(&variant).await? == [5, 4, 0, 1]);
        Ok(())
    })
}

fn deadline(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_mercato_never").await?;
        let events = ada.watch(&order, 0).await?;
        ensure!(steps(&events).last() == Some(&"CANCELLED"), "{events:?}");
        ensure!(ada.order(&order).await?["cancelReason"] == "PAYMENT_TIMEOUT");
        ensure!(world.stock(&variant).await? == [5, 5, 0, 0]);
        Ok(())
    })
}

fn duplicates(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(100).await?);
        let (cart, key) = (ada.cart(&variant, 1).await?, fresh_key());
        let submits = (0..50).map(|_| submit(&ada, &cart, &key));
        let answers = try_join_all(submits).await?;
        let orders: Vec<_> = answers
            .iter()
            .filter_map(|answer| answer["order"]["id"].as_str())
            .collect();
        ensure!(orders.iter().all(|order| order == &orders[0]), "{orders:?}");
        // A twin may be told to come back; it must never be told anything else.
        let others: Vec<_> = answers
            .iter()
            .filter(|answer| answer["order"].is_null())
            .collect();
        ensure!(
            others
                .iter()
                .all(|answer| answer["userErrors"][0]["code"] == "IN_PROGRESS"),
            "{others:?}"
        );
        ada.watch(orders[0], 0).await?;
        let again = ada.create_order(&cart, "pm_card_visa", &key).await?;
        ensure!(again["order"]["id"] == orders[0], "{again}");
        ensure!(world.stock(&variant).await? == [100, 99, 0, 1]);
        Ok(())
    })
}

/// Submits again when the service sheds load, which is what the key is for.
async fn submit(graph: &crate::client::Graph, cart: &str, key: &str) -> Result<Value> {
    for _ in 0..20 {
        match graph.create_order(cart, "pm_card_visa", key).await {
            Err(error) if error.to_string().contains("UNAVAILABLE") => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            answer => return answer,
        }
    }
    anyhow::bail!("never answered")
}

fn key_reused(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(9).await?);
        let key = fresh_key();
        let cart = ada.cart(&variant, 1).await?;
        let first = ada.create_order(&cart, "pm_card_visa", &key).await?;
        ensure!(first["userErrors"] == json!([]), "{first}");
        let other = ada.create_order(&cart, "pm_card_chargeDeclined", &key).await?;
        ensure!(
            other["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED",
            "{other}"
        );
        // A key belongs to one person: somebody else's is a new one.
        let bob = world.customer().await?;
        let cart = bob.cart(&variant, 1).await?;
        let theirs = bob.create_order(&cart, "pm_card_visa", &key).await?;
        ensure!(
            theirs["userErrors"] == json!([]) && theirs["order"]["id"] != first["order"]["id"],
            "{theirs}"
        );
        Ok(())
    })
}

fn price_changed(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(9).await?);
        let cart = ada.cart(&variant, 1).await?;
        let input = json!({ "cartId": cart, "paymentMethod": "pm_card_visa", "expectedTotal": "0.01", "idempotencyKey": fresh_key() });
        let data = ada
            .data(
                "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } userErrors { code } } }",
                json!({ "input": input }),
            )
            .await?;
        ensure!(data["createOrder"]["order"].is_null(), "{data}");
        ensure!(data["createOrder"]["userErrors"][0]["code"] == "PRICE_CHANGED", "{data}");
        ensure!(world.stock(&variant).await? == [9, 9, 0, 0]);
        Ok(())
    })
}

fn cart_is_empty(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(9).await?);
        let cart = ada.cart(&variant, 1).await?;
        let payload = ada.create_order(&cart, "pm_card_visa", &fresh_key()).await?;
        ada.watch(payload["order"]["id"].as_str().unwrap(), 0).await?;
        eventually(Duration::from_secs(10), "the cart is emptied", || async {
            let data = ada
                .data(
                    "query ($id: ID!) { cart(id: $id) { totalQuantity } }",
                    json!({ "id": cart }),
                )
                .await?;
            Ok(data["cart"]["totalQuantity"] == 0)
        })
        .await
    })
}
