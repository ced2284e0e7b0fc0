//! The events order publishes and hears, and the bodies it sends and reads, are those of the golden files.

use contracts::cart::{CartCheckedOut, CartFact};
use contracts::inventory::{ReservationExpired, ReservationView, ReserveStock, ReturnStock};
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::{
    PaymentFailed, PaymentSucceeded, PaymentView, RefundCompleted, RefundView, StartPayment, StartRefund,
    VoidView,
};
use contracts::product::{VariantFacts, VariantLookup};
use contracts::{Event, EventData, OrderId, Problem};
use order::domain::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::coupons;
use crate::stage::Stage;

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
    reads::<CartFact>(golden!("cart_fact"));
    reads::<CartFact>(golden!("cart_fact_guest"));
    reads::<CartCheckedOut>(golden!("cart_checked_out"));
    reads::<VariantLookup>(golden!("variant_lookup"));
    reads::<VariantFacts>(golden!("variant_facts"));
    reads::<ReserveStock>(golden!("reserve_stock"));
    reads::<ReturnStock>(golden!("return_stock"));
    reads::<StartRefund>(golden!("start_refund"));
    reads::<ReservationView>(golden!("reservation_view"));
    reads::<StartPayment>(golden!("start_payment"));
    reads::<PaymentView>(golden!("payment_view"));
    reads::<VoidView>(golden!("void_view"));
    reads::<StartRefund>(golden!("start_refund_all"));
    reads::<RefundView>(golden!("refund_view"));
    reads::<Problem>(golden!("problem_out_of_stock"));
    reads::<Problem>(golden!("problem_declined"));
}

#[test]
fn events_heard() {
    reads_event::<PaymentSucceeded>(golden!("payment_succeeded"));
    reads_event::<PaymentFailed>(golden!("payment_failed"));
    reads_event::<RefundCompleted>(golden!("refund_completed"));
    reads_event::<ReservationExpired>(golden!("reservation_expired"));
}

/// What is really published has the golden files' fields, in name, kind and nesting.
#[tokio::test]
async fn events_published() {
    reads_event::<OrderCreated>(golden!("order_created"));
    reads_event::<OrderStatusChanged>(golden!("order_status_changed"));
    let stage = Stage::new().await;
    let cancelled = stage.at(State::Cancelled).await;
    let coupon = coupons::coupon(&stage, json!({ "code": "WELCOME-10" })).await;
    let discounted = coupons::placed(&stage, &coupon, "with-a-coupon").await;
    for (order, kind, version, golden) in [
        (discounted, "order.created.v1", 1, golden!("order_created")),
        (
            cancelled,
            "order.status_changed.v1",
            9,
            golden!("order_status_changed"),
        ),
    ] {
        let published = published(&stage, order, kind, version).await;
        assert_eq!(
            shape(&published),
            shape(&serde_json::from_str(golden).unwrap()),
            "{kind}"
        );
    }
}

async fn published(stage: &Stage, order: OrderId, kind: &str, version: i64) -> Value {
    let read =
        "SELECT payload FROM outbox WHERE aggregate_id = $1 AND routing_key = $2 AND aggregate_version = $3";
    let row = sqlx::query_scalar(read)
        .bind(order.to_string())
        .bind(kind)
        .bind(version);
    row.fetch_one(&stage.db.pool).await.unwrap()
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
