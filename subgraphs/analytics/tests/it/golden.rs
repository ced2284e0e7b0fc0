//! The events analytics hears, and the body it reads, are those of the golden files.

use contracts::cart::CartsStarted;
use serde_json::Value;
use test_kit::golden::{body, golden};

use crate::stage::Stage;

#[test]
fn bodies() {
    body::<CartsStarted>("carts_started");
}

/// Each of the golden events is counted as it stands, in any order.
#[tokio::test]
async fn events_heard() {
    let stage = Stage::new().await;
    stage
        .hear(&[
            golden("refund_completed"),
            golden("order_status_changed"),
            golden("order_created"),
        ])
        .await;
    let counted: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT orders, cancelled, refunded_minor, (SELECT orders FROM refusal_day WHERE reason = 'CUSTOMER')
         FROM sales_hour WHERE currency = 'USD' AND hour = '2026-11-22T15:00:00Z'",
    )
    .fetch_one(&stage.db.pool)
    .await
    .unwrap();
    assert_eq!(counted, (1, 1, 1_999, 1));
    let kept: Value = sqlx::query_scalar("SELECT payload FROM fact WHERE type = 'order.created.v1'")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(kept, golden("order_created")["data"], "kept as it was told");
}
