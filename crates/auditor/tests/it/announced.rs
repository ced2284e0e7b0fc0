//! I13 beside traffic, and when announcements are pruned.

use uuid::Uuid;

use crate::world::{CANCELLED, PAID, World, id, run};

/// Steps and announcements are written together; a look between two of them must not tell one without the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_goes_on_meanwhile_is_no_violation() {
    let world = World::new().await;
    let pool = world.order.pool.clone();
    let orders = tokio::spawn(async move {
        loop {
            let order = Uuid::now_v7();
            let named = id(&order.to_string());
            sqlx::query(
                "WITH step AS (INSERT INTO order_history VALUES ($1, 1, NULL, 'CREATED', 'CREATED', 'PENDING', 'test', now()))
                 INSERT INTO outbox (id, aggregate_id, aggregate_version, exchange, routing_key, headers, payload, published_at)
                 VALUES ($1, $2, 1, 'order.events', 'order.status_changed.v1', '{}', '{}', now())",
            )
            .bind(order)
            .bind(named.to_string())
            .execute(&pool)
            .await
            .unwrap();
        }
    });
    for _ in 0..20 {
        let report = world.audit().await;
        let finding = report.finding("I13").unwrap();
        assert_eq!(finding.violations, 0, "{:?}", finding.notes);
    }
    assert!(!orders.is_finished());
    orders.abort();
}

/// Of two orders of three days ago one's announcements are pruned, the other's are just kept.
#[tokio::test]
async fn what_was_pruned_is_not_missed_and_what_came_after_is() {
    let world = World::new().await;
    let (paid, cancelled) = (id(PAID), id(CANCELLED));
    let aged = format!(
        "UPDATE order_history SET at = at - interval '3 days';
         UPDATE outbox SET created_at = created_at - interval '3 days' WHERE aggregate_id = '{cancelled}';
         DELETE FROM outbox WHERE aggregate_id = '{paid}';
         UPDATE order_history SET at = at - interval '1 hour' WHERE order_id = '{PAID}' AND version = 1"
    );
    run(&world.order, &aged).await;
    let violations = async || world.audit().await.finding("I13").unwrap().violations;
    assert_eq!(violations().await, 0);
    let lost = format!("DELETE FROM outbox WHERE aggregate_id = '{cancelled}' AND aggregate_version > 1");
    run(&world.order, &lost).await;
    let later = format!(
        "UPDATE order_history SET at = at + interval '1 hour' WHERE order_id = '{CANCELLED}' AND version > 1"
    );
    run(&world.order, &later).await;
    assert_eq!(violations().await, 5, "an hour later nothing is pruned");
}
