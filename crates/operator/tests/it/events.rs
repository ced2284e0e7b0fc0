//! `events`.

use contracts::inventory::ReservationExpired;
use contracts::{Event, EventId, OrderId};
use event_bus::{Bus, QueueSpec, dead_by_consumer, relay_once};
use operator::{events, parking};
use service_kit::Host;

use crate::world::{QUEUE, run, stuck};

fn event(last: &str) -> EventId {
    EventId::from_uuid(
        format!("00000000-0000-7000-8000-0000000000{last}")
            .parse()
            .unwrap(),
    )
}

#[tokio::test]
async fn dead_events_are_listed_and_replayed() {
    let db = stuck().await;
    let text = events::show_dead("order", &db.pool).await.unwrap();
    for part in [
        "Dead events of order: 2",
        QUEUE,
        "payment.succeeded.v9",
        "unknown version",
        "boom",
        &event("e1").to_string(),
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let unknown = events::replay(&db.pool, &[event("e1"), event("ff")])
        .await
        .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "1 of the 2 events are not dead: nothing was replayed"
    );
    assert_eq!(dead_by_consumer(&db.pool).await.unwrap(), [(QUEUE.to_owned(), 2)]);
    assert_eq!(events::replay(&db.pool, &[event("e1")]).await.unwrap(), 1);
    assert_eq!(dead_by_consumer(&db.pool).await.unwrap(), [(QUEUE.to_owned(), 1)]);
    assert_eq!(events::replay(&db.pool, &[]).await.unwrap(), 1);
    let due: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM inbox WHERE status = 'PENDING' AND attempts = 0 AND next_try_at <= now()",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(due, 2);
    assert_eq!(events::replay(&db.pool, &[]).await.unwrap(), 0);
    assert!(events::replay(&db.pool, &[event("e1")]).await.is_err());
    assert!(
        events::show_dead("order", &db.pool)
            .await
            .unwrap()
            .contains("none")
    );
}

/// What the command says, and whether it did as told.
fn told(words: &[&str], inboxes: &[(&str, &str)]) -> (bool, String) {
    let inboxes: Vec<String> = inboxes
        .iter()
        .map(|(name, url)| format!("{name}={url}"))
        .collect();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_operator"))
        .env_clear()
        .env("MERCATO_INBOXES", inboxes.join(","))
        .args(words)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn every_service_with_an_inbox_is_looked_at_and_one_is_replayed() {
    let (order, review) = (stuck().await, stuck().await);
    let all = [("order", order.url.as_str()), ("review", review.url.as_str())];
    let (ok, text) = told(&["events", "dead"], &all);
    assert!(
        ok && text.contains("of order: 2") && text.contains("of review: 2"),
        "{text}"
    );
    let (ok, text) = told(&["events", "replay", "--service", "review"], &all);
    assert!(ok, "{text}");
    assert_eq!(text.trim(), "2 events of review get a fresh start");
    let (ok, text) = told(&["events", "dead", "--service", "order"], &all);
    assert!(
        ok && text.contains("of order: 2") && !text.contains("review"),
        "{text}"
    );
    assert!(dead_by_consumer(&review.pool).await.unwrap().is_empty());
    let (ok, text) = told(&["events", "replay", "--service", "cart"], &all);
    assert!(
        !ok && text.contains("of: order, review") && !text.contains("postgres://"),
        "{text}"
    );
}

#[tokio::test]
async fn published_events_of_all_databases_are_sent_again() {
    let (order, other, empty) = (stuck().await, stuck().await, test_kit::empty_postgres().await);
    run(&order, "UPDATE outbox SET published_at = now()").await;
    let urls = [order.url.clone(), other.url.clone(), empty.url.clone()];
    let told = events::republish(&urls).await.unwrap();
    assert_eq!(told, "1 events of 3 databases are sent again");
    let again = events::republish(&urls).await.unwrap();
    assert_eq!(again, "0 events of 3 databases are sent again");
    let missing = format!("{}_none", order.url);
    let error = events::republish(&[missing]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a database",
        "its address has a password in it"
    );
}

const SPEC: QueueSpec = QueueSpec {
    queue: "order.inventory-events",
    bindings: &[("inventory.events", "reservation.expired.v1")],
};

/// Waits for something that the broker does.
async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never happened: {what}");
}

#[tokio::test]
async fn parked_messages_are_counted_shown_and_sent_round_once() {
    let (db, amqp) = (stuck().await, test_kit::amqp().await);
    run(&db, "DELETE FROM outbox").await;
    let host = Host::for_test("operator-test");
    let service = Bus::connect_with(&amqp.secret(), &host, &amqp.prefix);
    service.run_consumer(db.pool.clone(), SPEC);
    eventually("the consumer is up", async || {
        host.readiness
            .report()
            .components
            .get("rabbitmq")
            .is_some_and(|state| state == "up")
    })
    .await;
    let mut tx = db.pool.begin().await.unwrap();
    for _ in 0..3 {
        let fact = ReservationExpired {
            order_id: OrderId::generate(),
            expired_at: host.clock.now(),
        };
        let context = event_bus::context("inventory", &host.clock);
        event_bus::enqueue(&mut tx, &Event::new(EventId::generate(), &context, 1, fact))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    run(&db, "UPDATE outbox SET payload = '{\"specversion\": \"9.9\"}'").await;
    assert_eq!(relay_once(&db.pool, service.publisher()).await.unwrap(), 3);

    let operator = parking::bus(&amqp.secret(), &amqp.prefix);
    let queues = [SPEC.queue.to_owned(), "order.nobody".to_owned()];
    eventually("all are parked", async || {
        let text = parking::counts(&operator, &queues).await.unwrap();
        assert!(text.contains("order.nobody            no such queue"), "{text}");
        text.contains("order.inventory-events  3")
    })
    .await;
    let text = parking::show(&operator, SPEC.queue).await.unwrap();
    assert!(
        text.contains("order.inventory-events: 3") && text.contains("specversion"),
        "{text}"
    );
    eventually("put back", async || {
        operator.count_parked(SPEC.queue).await.unwrap() == 3
    })
    .await;
    // Still no events: each goes round once and is parked again.
    assert_eq!(parking::replay(&operator, SPEC.queue).await.unwrap(), 3);
    eventually("parked again", async || {
        operator.count_parked(SPEC.queue).await.unwrap() == 3
    })
    .await;
    assert!(parking::show(&operator, "order.nobody").await.is_err());
    host.shutdown.cancel();
    host.tasks.close();
    host.tasks.wait().await;
}
