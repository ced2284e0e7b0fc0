//! The events order publishes and hears, and the bodies it sends and reads, are those of the golden files.

use contracts::cart::{CartCheckedOut, CartFact};
use contracts::inventory::{ReservationExpired, ReservationView, ReserveStock, ReturnStock};
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::{
    PaymentFailed, PaymentSucceeded, PaymentView, RefundCompleted, RefundView, StartPayment, StartRefund,
    VoidView,
};
use contracts::product::{VariantFacts, VariantLookup};
use contracts::{OrderId, Problem};
use order::domain::State;
use serde_json::{Value, json};
use test_kit::golden;

use crate::coupons;
use crate::stage::Stage;

#[test]
fn bodies() {
    golden::body::<CartFact>("cart_fact");
    golden::body::<CartFact>("cart_fact_guest");
    golden::body::<CartCheckedOut>("cart_checked_out");
    golden::body::<VariantLookup>("variant_lookup");
    golden::body::<VariantFacts>("variant_facts");
    golden::body::<ReserveStock>("reserve_stock");
    golden::body::<ReturnStock>("return_stock");
    golden::body::<StartRefund>("start_refund");
    golden::body::<ReservationView>("reservation_view");
    golden::body::<StartPayment>("start_payment");
    golden::body::<PaymentView>("payment_view");
    golden::body::<VoidView>("void_view");
    golden::body::<StartRefund>("start_refund_all");
    golden::body::<RefundView>("refund_view");
    golden::body::<Problem>("problem_out_of_stock");
    golden::body::<Problem>("problem_declined");
}

#[test]
fn events_heard() {
    golden::event::<PaymentSucceeded>("payment_succeeded");
    golden::event::<PaymentFailed>("payment_failed");
    golden::event::<RefundCompleted>("refund_completed");
    golden::event::<ReservationExpired>("reservation_expired");
}

/// What is really published has the golden files' fields, in name, kind and nesting.
#[tokio::test]
async fn events_published() {
    golden::event::<OrderCreated>("order_created");
    golden::event::<OrderStatusChanged>("order_status_changed");
    let stage = Stage::new().await;
    let cancelled = stage.at(State::Cancelled).await;
    let coupon = coupons::coupon(&stage, json!({ "code": "WELCOME-10" })).await;
    let discounted = coupons::placed(&stage, &coupon, "with-a-coupon").await;
    for (order, kind, version, name) in [
        (discounted, "order.created.v1", 1, "order_created"),
        (cancelled, "order.status_changed.v1", 9, "order_status_changed"),
    ] {
        golden::assert_shaped(&published(&stage, order, kind, version).await, name);
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
