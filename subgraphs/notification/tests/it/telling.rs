//! From events to what is told: once each, to whoever wants it.

use contracts::order::OrderStep;
use contracts::{EventId, OrderId};
use serde_json::json;
use sqlx::Row;

use crate::graph::Graph;
use crate::stage::{Stage, refunded};

/// Kinds that were written to a table, oldest first.
async fn kinds(stage: &Stage, table: &'static str) -> Vec<String> {
    let sql = match table {
        "mail" => "SELECT kind FROM mail ORDER BY id",
        _ => "SELECT kind FROM notification ORDER BY id",
    };
    sqlx::query_scalar(sql).fetch_all(&stage.db.pool).await.unwrap()
}

#[tokio::test]
async fn an_orders_life_is_told_by_both_channels() {
    let stage = Stage::new().await;
    let placed = stage.placed();
    let order = placed.order_id;
    stage.hear(placed).await;
    for step in [
        OrderStep::Created,
        OrderStep::StockReserved,
        OrderStep::PaymentCaptured,
        OrderStep::Paid,
        OrderStep::Shipped,
        OrderStep::Delivered,
    ] {
        stage.hear(stage.moved(order, step)).await;
    }
    stage.hear(refunded(order)).await;
    let told = [
        "ORDER_RECEIVED",
        "ORDER_PAID",
        "ORDER_SHIPPED",
        "ORDER_DELIVERED",
        "REFUND_COMPLETED",
    ];
    for table in ["notification", "mail"] {
        assert_eq!(kinds(&stage, table).await, told, "{table}");
    }
    assert_eq!(stage.count("outbox").await, 5, "each is announced");
}

#[tokio::test]
async fn duplicates_tell_nothing_twice() {
    let stage = Stage::new().await;
    let (placed, event) = (stage.placed(), EventId::generate());
    for _ in 0..3 {
        stage.hear_as(event, placed.clone()).await;
    }
    for table in ["notification", "mail", "outbox"] {
        assert_eq!(stage.count(table).await, 1, "{table}");
    }
    while stage.send().await > 0 {}
    stage.hear_as(event, placed).await;
    assert_eq!(stage.send().await, 0);
    assert_eq!(stage.caught().len(), 1);
}

#[tokio::test]
async fn a_refund_waits_for_the_event_that_names_its_buyer() {
    let stage = Stage::new().await;
    let order = OrderId::generate();
    stage.hear(refunded(order)).await;
    assert_eq!(stage.count("notification").await, 0);
    let row = sqlx::query("SELECT status, last_error FROM inbox")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(row.get::<String, _>(0), "PENDING");
    assert!(row.get::<String, _>(1).contains(&order.to_string()));
    // A step that tells nothing names the buyer all the same.
    stage.hear(stage.moved(order, OrderStep::Refunding)).await;
    stage.later().await;
    stage.step().await;
    assert_eq!(kinds(&stage, "notification").await, ["REFUND_COMPLETED"]);
}

#[tokio::test]
async fn what_nobody_wants_is_not_written() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let set = "mutation($input: SetNotificationPreferenceInput!) { setNotificationPreference(input: $input) {
        user { id notificationPreferences { kind channel enabled } } userErrors { code } } }";
    let say = async |kind: &str, channel: &str, enabled: bool| {
        let input = json!({ "kind": kind, "channel": channel, "enabled": enabled });
        let answer = graph.ask(&graph.own, set, json!({ "input": input })).await;
        answer["data"]["setNotificationPreference"]["user"]["notificationPreferences"].clone()
    };
    say("ORDER_PAID", "EMAIL", false).await;
    let shown = say("ORDER_SHIPPED", "IN_APP", false).await;
    let off: Vec<_> = shown
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["enabled"] == false)
        .collect();
    assert_eq!(
        (shown.as_array().unwrap().len(), off.len()),
        (12, 2),
        "everything else is on"
    );
    let order = stage.paid().await;
    stage.hear(stage.moved(order, OrderStep::Shipped)).await;
    assert_eq!(kinds(&stage, "notification").await, ["ORDER_PAID"]);
    assert_eq!(kinds(&stage, "mail").await, ["ORDER_SHIPPED"]);
    assert_eq!(
        stage.count("outbox").await,
        1,
        "what is not shown is not announced"
    );
    say("ORDER_PAID", "EMAIL", true).await;
    stage.paid().await;
    assert_eq!(kinds(&stage, "mail").await, ["ORDER_SHIPPED", "ORDER_PAID"]);
}
