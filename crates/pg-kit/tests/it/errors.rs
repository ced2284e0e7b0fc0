//! Which statement is blamed for an error.

use pg_kit::{Purpose, connect, count_error};
use service_kit::statements::Statements;
use service_kit::{Host, metrics};
use sqlx::PgPool;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// This thread's statements get their names, as a service's do.
fn listen() -> DefaultGuard {
    test_kit::watch_statements();
    tracing::subscriber::set_default(tracing_subscriber::registry().with(Statements::new()))
}

fn counted(statement: &str, kind: &str) -> u64 {
    metrics::counter("sql_statement_errors_total", "", &["statement", "kind"])
        .with_label_values(&[statement, kind])
        .get()
}

/// Fails unless the outcome is an error that is counted under these, and once.
#[track_caller]
fn blames<T>(outcome: Result<T, sqlx::Error>, statement: &str, kind: &str) {
    let before = counted(statement, kind);
    let error = outcome.map(drop).map_err(count_error).unwrap_err();
    assert_eq!(
        counted(statement, kind),
        before + 1,
        "{statement} {kind}: {error}"
    );
}

async fn database() -> (test_kit::TestDb, PgPool) {
    let db = test_kit::empty_postgres().await;
    let host = Host::for_test("errors");
    let pool = connect(&db.secret(), &host, Purpose::Requests).await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE blamed (n int UNIQUE DEFERRABLE, id int PRIMARY KEY);
         INSERT INTO blamed VALUES (1, 1), (2, 2)",
    )
    .execute(&pool)
    .await
    .unwrap();
    (db, pool)
}

#[tokio::test]
async fn an_error_is_counted_by_its_statement() {
    let (_listening, (_db, pool)) = (listen(), database().await);
    let run = |sql: &'static str| sqlx::query(sql).execute(&pool);
    blames(
        run("INSERT INTO blamed VALUES (3, 1)").await,
        "INSERT blamed",
        "constraint",
    );
    blames(
        run("DELETE FROM absent_of_all").await,
        "DELETE absent_of_all",
        "schema",
    );
    blames(
        run("UPDATE blamed SET n = 1 / (n - n)").await,
        "UPDATE blamed",
        "data",
    );
    let one = sqlx::query("SELECT n FROM blamed WHERE n = 77").fetch_one(&pool);
    blames(one.await, "SELECT blamed", "absent");
    let all = sqlx::query("SELECT 1 / (n - 1) FROM blamed").fetch_all(&pool);
    blames(all.await, "SELECT blamed", "data");
    let wide = sqlx::query_scalar::<_, String>("SELECT n FROM blamed").fetch_all(&pool);
    blames(wide.await, "SELECT blamed", "decode");
    let raw = sqlx::raw_sql("UPDATE blamed SET none_such = 1").execute(&pool);
    blames(raw.await, "UPDATE blamed", "schema");
}

#[tokio::test]
async fn one_of_a_transaction_is_blamed_and_not_those_before_it() {
    let (_listening, (_db, pool)) = (listen(), database().await);
    let mut holder = pool.begin().await.unwrap();
    let lock = "SELECT n FROM blamed WHERE id = 1 FOR UPDATE";
    sqlx::query(lock).fetch_one(&mut *holder).await.unwrap();
    let waits = async |setting: &'static str| {
        let mut tx = pool.begin().await?;
        sqlx::query(setting).execute(&mut *tx).await?;
        sqlx::query("SELECT n FROM blamed WHERE id = 2")
            .fetch_one(&mut *tx)
            .await?;
        sqlx::query("UPDATE blamed SET n = 9 WHERE id = 1")
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    };
    blames(
        waits("SET LOCAL lock_timeout = '20ms'").await,
        "UPDATE blamed",
        "lock_timeout",
    );
    blames(
        waits("SET LOCAL statement_timeout = '20ms'").await,
        "UPDATE blamed",
        "timeout",
    );
    holder.rollback().await.unwrap();

    // What is checked at the end fails there.
    let late = async {
        let mut tx = pool.begin().await?;
        sqlx::query("SET CONSTRAINTS ALL DEFERRED")
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE blamed SET n = 1").execute(&mut *tx).await?;
        tx.commit().await
    };
    blames(late.await, "COMMIT", "constraint");
}

#[tokio::test]
async fn no_statement_is_blamed_for_its_connection() {
    let (_listening, (_db, pool)) = (listen(), database().await);
    let mut tx = pool.begin().await.unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(pid)
        .execute(&pool)
        .await
        .unwrap();
    let cut = sqlx::query("UPDATE blamed SET n = 5").execute(&mut *tx);
    blames(cut.await, "none", "connection");
    drop(tx);
    pool.close().await;
    blames(pool.begin().await, "none", "pool");
}

#[tokio::test]
async fn where_nobody_listens_no_statement_is_known() {
    let (_db, pool) = database().await;
    let run = sqlx::query("INSERT INTO blamed VALUES (3, 1)").execute(&pool);
    blames(run.await, "none", "constraint");
}
