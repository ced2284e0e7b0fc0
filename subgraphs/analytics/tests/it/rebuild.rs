//! The sums are made again from what was heard.

use contracts::{ProductId, UserId};
use serde_json::json;
use service_auth::Role;

use crate::life::{Life, at, line};
use crate::stage::{Stage, code};

fn life() -> Life {
    let bought = vec![line(ProductId::generate(), None, 500, 2)];
    Life::placed(UserId::generate(), at("2026-11-27T05:10:00Z"), bought, 0).paid(60)
}

const BEGIN: &str =
    "mutation { rebuildSales(input: { reason: \"a test\" }) { rebuild { id state } userErrors { code } } }";
const LAST: &str = "{ salesRebuild { id state startedAt endedAt facts orders failure } }";

#[tokio::test]
async fn sums_that_were_broken_are_those_of_the_facts_again() {
    let stage = Stage::new().await;
    stage.hear_all(&[life(), life()]).await;
    let right = stage.sums().await;
    sqlx::query("UPDATE sales_hour SET revenue_minor = 7")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM order_fact")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    sqlx::query("INSERT INTO carts_hour (hour, carts) VALUES (now(), 3)")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.rebuild().await;
    assert_eq!(stage.sums().await, right);
    let carts: i64 = sqlx::query_scalar("SELECT count(*) FROM carts_hour")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(carts, 1, "what is not from the facts stays");
    let last = stage.ask(LAST, json!({})).await;
    let last = &last["data"]["salesRebuild"];
    assert_eq!(
        (&last["state"], &last["facts"], &last["orders"]),
        (&json!("DONE"), &json!(8), &json!(2)),
        "{last}"
    );
}

#[tokio::test]
async fn events_wait_while_the_sums_are_made_again() {
    let stage = Stage::new().await;
    stage.hear_all(&[life()]).await;
    // As a rebuild at work does.
    let mut tx = stage.db.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock($1), pg_advisory_xact_lock($2)")
        .bind(0x616e_616c_7974_0002_i64)
        .bind(0x616e_616c_7974_0003_i64)
        .execute(&mut *tx)
        .await
        .unwrap();
    let more = life();
    stage.store(&more.events).await;
    stage.step().await;
    assert_eq!(stage.inbox("PENDING").await, 4);
    let busy = stage.ask_as(Some(Role::Admin), BEGIN, json!({})).await;
    assert_eq!(code(&busy), "UNAVAILABLE", "no record yet");
    tx.rollback().await.unwrap();
    sqlx::query("UPDATE inbox SET next_try_at = now() - interval '1 second' WHERE status = 'PENDING'")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.step().await;
    let orders: i64 = sqlx::query_scalar("SELECT sum(orders)::bigint FROM sales_hour")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!((stage.inbox("PENDING").await, orders), (0, 2));
}

#[tokio::test]
async fn a_rebuild_whose_process_ended_is_followed_by_another() {
    let stage = Stage::new().await;
    stage.hear_all(&[life()]).await;
    sqlx::query(
        "INSERT INTO rebuild (id, asked_by, reason) VALUES (gen_random_uuid(), gen_random_uuid(), '')",
    )
    .execute(&stage.db.pool)
    .await
    .unwrap();
    stage.rebuild().await;
    let lost: String = sqlx::query_scalar("SELECT failure FROM rebuild WHERE failure IS NOT NULL")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(lost, "its process ended");
}

#[tokio::test]
async fn a_fact_that_can_t_be_read_leaves_the_sums_as_they_were() {
    let stage = Stage::new().await;
    stage.hear_all(&[life()]).await;
    let before = stage.sums().await;
    sqlx::query("UPDATE fact SET payload = '{}' WHERE type = 'order.created.v1'")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.rebuild().await;
    assert_eq!(stage.sums().await, before);
    let last = stage.ask(LAST, json!({})).await;
    assert_eq!(last["data"]["salesRebuild"]["state"], "FAILED", "{last}");
}

#[tokio::test]
async fn administrators_begin_and_staff_look() {
    let stage = Stage::new().await;
    for (role, expected) in [
        (None, "UNAUTHENTICATED"),
        (Some(Role::Customer), "FORBIDDEN"),
        (Some(Role::Support), "FORBIDDEN"),
    ] {
        assert_eq!(code(&stage.ask_as(role, BEGIN, json!({})).await), expected);
    }
    for (role, expected) in [(None, "UNAUTHENTICATED"), (Some(Role::Customer), "FORBIDDEN")] {
        assert_eq!(code(&stage.ask_as(role, LAST, json!({})).await), expected);
    }
    for reason in [" ".to_owned(), "x".repeat(501)] {
        let query = format!(
            "mutation {{ rebuildSales(input: {{ reason: \"{reason}\" }}) {{ userErrors {{ code }} }} }}"
        );
        let answer = stage.ask_as(Some(Role::Admin), &query, json!({})).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT");
    }
    assert_eq!(
        stage.ask(LAST, json!({})).await,
        json!({ "data": { "salesRebuild": null } })
    );
    let begun = stage.ask_as(Some(Role::Admin), BEGIN, json!({})).await;
    let begun = &begun["data"]["rebuildSales"];
    assert_eq!(
        (&begun["rebuild"]["state"], &begun["userErrors"]),
        (&json!("RUNNING"), &json!([])),
        "{begun}"
    );
    stage.host.tasks.close();
    stage.host.tasks.wait().await;
    let last = stage.ask(LAST, json!({})).await;
    let last = &last["data"]["salesRebuild"];
    assert_eq!(
        (&last["id"], &last["state"]),
        (&begun["rebuild"]["id"], &json!("DONE"))
    );
}
