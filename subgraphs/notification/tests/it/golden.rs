//! The events notification publishes and hears, and the bodies it sends and reads, are those of the golden files.

use contracts::auth::{ContactLookup, Contacts};
use contracts::notification::NotificationCreated;
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::RefundCompleted;
use contracts::{Event, EventData, OrderId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::stage::{Stage, refunded};

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../../crates/contracts/golden/", $name, ".json"))
    };
}

fn reads<T: Serialize + DeserializeOwned>(golden: &str) -> T {
    let parsed: T = serde_json::from_str(golden).unwrap();
    assert_eq!(
        serde_json::to_value(&parsed).unwrap(),
        serde_json::from_str::<Value>(golden).unwrap()
    );
    parsed
}

fn reads_event<T: EventData>(golden: &str) {
    let event: Event<T> = serde_json::from_str(golden).unwrap();
    assert_eq!(event.kind, T::TYPE);
    assert_eq!(event.subject, event.data.subject());
    assert_eq!(
        serde_json::to_value(&event).unwrap(),
        serde_json::from_str::<Value>(golden).unwrap()
    );
}

#[test]
fn bodies() {
    reads::<ContactLookup>(golden!("contact_lookup"));
    reads::<Contacts>(golden!("contacts"));
}

/// Each of the golden events is applied as it stands: the refund finds its buyer by the others.
#[tokio::test]
async fn events_heard() {
    reads_event::<OrderCreated>(golden!("order_created"));
    reads_event::<OrderStatusChanged>(golden!("order_status_changed"));
    reads_event::<RefundCompleted>(golden!("refund_completed"));
    let stage = Stage::new().await;
    let created: Event<OrderCreated> = serde_json::from_str(golden!("order_created")).unwrap();
    stage.hear_as(created.id, created.data).await;
    let moved: Event<OrderStatusChanged> = serde_json::from_str(golden!("order_status_changed")).unwrap();
    stage.hear_as(moved.id, moved.data).await;
    let refund: Event<RefundCompleted> = serde_json::from_str(golden!("refund_completed")).unwrap();
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
    reads_event::<NotificationCreated>(golden!("notification_created"));
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
    assert_eq!(
        shape(&published),
        shape(&serde_json::from_str(golden!("notification_created")).unwrap())
    );
    assert!(!published.to_string().contains('@'), "no address");
}

/// Names and kinds without the values; a trace and a correlation id stand only in what a request caused.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "traceparent" | "correlationid"))
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.first().map_or(Value::Null, shape),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        other => other.clone(),
    }
}
