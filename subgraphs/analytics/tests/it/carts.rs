//! Carts begun, as cart tells.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};

use crate::life::at;
use crate::stage::Stage;

async fn known(stage: &Stage) -> Vec<(DateTime<Utc>, i64)> {
    sqlx::query_as("SELECT hour, carts FROM carts_hour WHERE carts > 0 ORDER BY hour")
        .fetch_all(&stage.db.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_cart_told_last_stands() {
    let stage = Stage::new().await;
    stage.carts.store(7, Ordering::SeqCst);
    assert!(stage.app.count_carts().await && stage.app.count_carts().await);
    stage.carts.store(9, Ordering::SeqCst);
    assert!(stage.app.count_carts().await);
    let now = at("2026-11-27T05:00:00Z");
    assert_eq!(known(&stage).await, [(now, 9)]);
    stage.carts.store(2, Ordering::SeqCst);
    assert!(stage.app.count_carts().await);
    assert_eq!(known(&stage).await, [(now, 9)], "what cart lost is known here");
    let asked: i64 = sqlx::query_scalar("SELECT count(*) FROM carts_hour")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(asked, 48);
}

#[tokio::test]
async fn cart_being_away_only_delays() {
    let stage = Stage::new().await;
    stage.carts.store(u64::MAX, Ordering::SeqCst);
    assert!(!stage.app.count_carts().await);
    assert_eq!(known(&stage).await, []);
    stage.carts.store(4, Ordering::SeqCst);
    assert!(stage.app.count_carts().await);
    assert_eq!(known(&stage).await, [(at("2026-11-27T05:00:00Z"), 4)]);
}
