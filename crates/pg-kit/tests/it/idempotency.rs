//! One key, one outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pg_kit::idempotency::{Claim, Scope, claim, complete, forget, peek, request_hash};
use serde_json::json;
use sqlx::PgPool;
use test_kit::TestDb;
use tokio::task::JoinSet;

const SCOPE: Scope<'static> = Scope {
    principal: "usr_1",
    operation: "createOrder",
    key: "k",
};

async fn database() -> TestDb {
    let db = test_kit::empty_postgres().await;
    sqlx::raw_sql(include_str!("../../sql/idempotency.sql"))
        .execute(&db.pool)
        .await
        .unwrap();
    db
}

/// A use case that counts how often its business ran.
async fn order(pool: &PgPool, ran: &AtomicUsize, hash: &[u8; 32]) -> Claim {
    let mut tx = pool.begin().await.unwrap();
    let claimed = claim(&mut tx, &SCOPE, hash).await.unwrap();
    if claimed == Claim::Fresh {
        let number = ran.fetch_add(1, Ordering::SeqCst);
        complete(&mut tx, &SCOPE, &json!({ "order": number }))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    claimed
}

#[tokio::test]
async fn a_second_try_replays_and_another_body_is_refused() {
    let db = database().await;
    let (ran, hash) = (AtomicUsize::new(0), request_hash(&json!({ "cart": 1 })));
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(peek(&mut conn, &SCOPE, &hash).await.unwrap(), None);
    assert_eq!(order(&db.pool, &ran, &hash).await, Claim::Fresh);
    let replay = Claim::Replay(json!({ "order": 0 }));
    assert_eq!(order(&db.pool, &ran, &hash).await, replay);
    assert_eq!(peek(&mut conn, &SCOPE, &hash).await.unwrap(), Some(replay));
    let other = request_hash(&json!({ "cart": 2 }));
    assert_eq!(order(&db.pool, &ran, &other).await, Claim::Reused);
    assert_eq!(
        peek(&mut conn, &SCOPE, &other).await.unwrap(),
        Some(Claim::Reused)
    );
    let stranger = Scope {
        principal: "usr_2",
        ..SCOPE
    };
    assert_eq!(
        peek(&mut conn, &stranger, &hash).await.unwrap(),
        None,
        "a key belongs to its caller"
    );
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_transaction_that_died_leaves_nothing() {
    let db = database().await;
    let (ran, hash) = (AtomicUsize::new(0), request_hash(&1));
    let mut tx = db.pool.begin().await.unwrap();
    assert_eq!(claim(&mut tx, &SCOPE, &hash).await.unwrap(), Claim::Fresh);
    tx.rollback().await.unwrap();
    assert_eq!(order(&db.pool, &ran, &hash).await, Claim::Fresh);
}

#[tokio::test]
async fn of_many_twins_one_runs_and_the_others_get_its_outcome() {
    let db = database().await;
    let ran = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (pool, ran) = (db.pool.clone(), ran.clone());
        tasks.spawn(async move { order(&pool, &ran, &request_hash(&1)).await });
    }
    let claims = tasks.join_all().await;
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    assert_eq!(
        claims
            .iter()
            .filter(|claim| **claim == Claim::Replay(json!({ "order": 0 })))
            .count(),
        19
    );
}

#[tokio::test]
async fn a_twin_that_waits_too_long_is_told_so() {
    let db = database().await;
    let hash = request_hash(&1);
    let mut first = db.pool.begin().await.unwrap();
    claim(&mut first, &SCOPE, &hash).await.unwrap();
    let mut second = db.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL lock_timeout = '50ms'")
        .execute(&mut *second)
        .await
        .unwrap();
    assert_eq!(
        claim(&mut second, &SCOPE, &hash).await.unwrap(),
        Claim::InProgress
    );
    second.rollback().await.unwrap();
    complete(&mut first, &SCOPE, &"done").await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(
        order(&db.pool, &AtomicUsize::new(0), &hash).await,
        Claim::Replay(json!("done"))
    );
}

#[tokio::test]
async fn an_outcome_is_stored_once_and_only_for_a_claimed_key() {
    let db = database().await;
    let mut tx = db.pool.begin().await.unwrap();
    assert!(complete(&mut tx, &SCOPE, &1).await.is_err());
    claim(&mut tx, &SCOPE, &request_hash(&1)).await.unwrap();
    complete(&mut tx, &SCOPE, &1).await.unwrap();
    assert!(complete(&mut tx, &SCOPE, &2).await.is_err());
}

#[tokio::test]
async fn old_keys_are_forgotten_in_batches() {
    let db = database().await;
    let old = "INSERT INTO idempotency_key SELECT 'p', 'o', n::text, sha256('x'), '1', now() - interval '40 days' FROM generate_series(1, 2500) n";
    sqlx::query(old).execute(&db.pool).await.unwrap();
    order(&db.pool, &AtomicUsize::new(0), &request_hash(&1)).await;
    assert_eq!(forget(&db.pool).await.unwrap(), 2500);
    assert_eq!(forget(&db.pool).await.unwrap(), 0);
    let mut conn = db.pool.acquire().await.unwrap();
    assert!(
        peek(&mut conn, &SCOPE, &request_hash(&1))
            .await
            .unwrap()
            .is_some(),
        "the fresh one stays"
    );
}
