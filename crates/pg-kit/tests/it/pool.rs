//! What a connection is told before its first statement.

use std::time::Duration;

use pg_kit::{Purpose, connect, constraint, is_retryable};
use service_kit::{Admission, Host, Secret};
use sqlx::{PgPool, Row};

fn host() -> Host {
    Host::for_test("order")
}

async fn setting(pool: &PgPool, name: &str) -> String {
    sqlx::query_scalar("SELECT current_setting($1)")
        .bind(name)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn every_connection_has_its_time_outs_and_its_name() {
    let db = test_kit::empty_postgres().await;
    let pool = connect(&db.secret(), &host(), Purpose::Workers).await.unwrap();
    for (name, value) in [
        ("statement_timeout", "10s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "15s"),
        ("application_name", "order-workers"),
    ] {
        assert_eq!(setting(&pool, name).await, value, "{name}");
    }
}

#[tokio::test]
async fn a_wrong_address_fails_at_once() {
    let bad = Secret::new("postgres://nobody:wrong@127.0.0.1:1/none?connect_timeout=1");
    assert!(
        connect(&Secret::new("nonsense"), &host(), Purpose::Requests)
            .await
            .is_err()
    );
    let db = test_kit::empty_postgres().await;
    let missing = Secret::new(format!("{}_none", db.url));
    let error = connect(&missing, &host(), Purpose::Requests).await.unwrap_err();
    assert!(!is_retryable(&error), "{error}");
    assert!(!format!("{bad:?}").contains("wrong"));
}

#[tokio::test]
async fn faults_are_told_apart() {
    let db = test_kit::empty_postgres().await;
    sqlx::raw_sql("CREATE TABLE t (n int CONSTRAINT one_n UNIQUE); INSERT INTO t VALUES (1)")
        .execute(&db.pool)
        .await
        .unwrap();
    let twice = sqlx::query("INSERT INTO t VALUES (1)")
        .execute(&db.pool)
        .await
        .unwrap_err();
    assert_eq!((constraint(&twice), is_retryable(&twice)), (Some("one_n"), false));
    let mut a = db.pool.begin().await.unwrap();
    let mut b = db.pool.begin().await.unwrap();
    sqlx::query("UPDATE t SET n = 2").execute(&mut *a).await.unwrap();
    sqlx::query("SET LOCAL lock_timeout = '50ms'")
        .execute(&mut *b)
        .await
        .unwrap();
    let waited = sqlx::query("UPDATE t SET n = 3")
        .execute(&mut *b)
        .await
        .unwrap_err();
    assert!(is_retryable(&waited), "{waited}");
    a.rollback().await.unwrap();
    let row = sqlx::query("SELECT n FROM t").fetch_one(&db.pool).await.unwrap();
    assert_eq!(row.get::<i32, _>(0), 1);
}

async fn until(admission: &Admission, behind: bool) {
    let turned = async {
        while admission.is_behind() != behind {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), turned)
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_is_let_in_while_requests_wait_for_a_connection() {
    let db = test_kit::empty_postgres().await;
    let (host, workers) = (host(), host());
    let pool = connect(&db.secret(), &host, Purpose::Requests).await.unwrap();
    let others = connect(&db.secret(), &workers, Purpose::Workers).await.unwrap();
    assert!(!host.admission.is_behind());
    let mut held = Vec::new();
    while held.len() < 16 {
        held.push(pool.acquire().await.unwrap());
    }
    let mut busy = Vec::new();
    while busy.len() < 8 {
        busy.push(others.acquire().await.unwrap());
    }
    until(&host.admission, true).await;
    drop(held);
    until(&host.admission, false).await;
    assert!(
        !workers.admission.is_behind(),
        "nobody waits at a door for workers"
    );
}
