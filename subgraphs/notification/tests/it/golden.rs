//! The events notification publishes and hears, and the bodies it sends and reads, are those of the golden files.

use contracts::OrderId;
use contracts::auth::{ContactLookup, Contacts};
use contracts::notification::NotificationCreated;
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::RefundCompleted;
use serde_json::Value;
use test_kit::golden;

use crate::stage::{Stage, refunded};

#[test]
fn bodies() {
    golden::body::<ContactLookup>("contact_lookup");
    golden::body::<Contacts>("contacts");
}

/// Each of the golden events is applied as it stands: the refund finds its buyer by the others.
#[tokio::test]
async fn events_heard() {
    let stage = Stage::new().await;
    let created = golden::event::<OrderCreated>("order_created");
    stage.hear_as(created.id, created.data).await;
    let moved = golden::event::<OrderStatusChanged>("order_status_changed");
    stage.hear_as(moved.id, moved.data).await;
    let refund = golden::event::<RefundCompleted>("refund_completed");
    stage.hear_as(refund.id, refund.data).await;
    let told: Vec<String> = sqlx::query_scalar("SELECT kind FROM notification ORDER BY id")
        .fetch_all(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(told, ["ORDER_RECEIVED", "ORDER_CANCELLED", "REFUND_COMPLETED"]);
}

/// What is really published has the golden file's fields, in name, kind and nesting.
#[tokio::test]
async fn events_published() {
    golden::event::<NotificationCreated>("notification_created");
    let stage = Stage::new().await;
    let order: OrderId = stage.paid().await;
    stage.hear(refunded(order)).await;
    let published: Value = sqlx::query_scalar(
        "SELECT payload FROM outbox WHERE aggregate_id = $1 ORDER BY aggregate_version DESC LIMIT 1",
    )
    .bind(stage.user.to_string())
    .fetch_one(&stage.db.pool)
    .await
    .unwrap();
    golden::assert_shaped(&published, "notification_created");
    assert!(!published.to_string().contains('@'), "no address");
}
