//! Relay and consumer: what counts as published, what counts as received.

use event_bus::relay_once;
use service_kit::metrics::registry;

use crate::scene::{QUEUE, Scene, enqueue, event, eventually};

#[tokio::test]
async fn an_event_travels_from_outbox_to_inbox() {
    let scene = Scene::new().await;
    scene.consume().await;
    let event = event();
    enqueue(&scene.db.pool, &event).await;
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        1
    );
    assert_eq!(scene.unpublished().await, 0);
    eventually("stored", async || scene.stored().await == 1).await;
    let (id, payload): (uuid::Uuid, serde_json::Value) =
        sqlx::query_as("SELECT message_id, payload FROM inbox")
            .fetch_one(&scene.db.pool)
            .await
            .unwrap();
    assert_eq!(id, event.id.uuid());
    assert_eq!(payload, serde_json::to_value(&event).unwrap());
    scene.stop().await;
}

#[tokio::test]
async fn the_running_relay_publishes_what_is_committed_and_flushes_at_shutdown() {
    let scene = Scene::new().await;
    scene.consume().await;
    let relay = scene.bus.run_relay(scene.db.pool.clone(), &["never.told.v1"]);
    let figures = registry().gather();
    let published = figures
        .iter()
        .find(|family| family.name() == "mercato_events_published_total");
    let types = published
        .unwrap()
        .get_metric()
        .iter()
        .flat_map(prometheus::proto::Metric::get_label);
    assert!(types.into_iter().any(|label| label.value() == "never.told.v1"));
    for _ in 0..450 {
        enqueue(&scene.db.pool, &event()).await;
        relay.wake();
    }
    eventually("stored", async || scene.stored().await == 450).await;
    assert_eq!(scene.unpublished().await, 0);
    enqueue(&scene.db.pool, &event()).await;
    scene.stop().await;
    assert_eq!(scene.unpublished().await, 0, "the last event left with the drain");
}

#[tokio::test]
async fn an_unroutable_event_is_not_published() {
    let scene = Scene::new().await;
    let event = event();
    enqueue(&scene.db.pool, &event).await;
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        0
    );
    assert_eq!(scene.unpublished().await, 1);
    let (attempts, waits): (i32, bool) =
        sqlx::query_as("SELECT attempts, next_try_at > now() AND lease_until IS NULL FROM outbox")
            .fetch_one(&scene.db.pool)
            .await
            .unwrap();
    assert_eq!((attempts, waits), (1, true));
    // With a queue it gets through.
    scene.consume().await;
    sqlx::query("UPDATE outbox SET next_try_at = now()")
        .execute(&scene.db.pool)
        .await
        .unwrap();
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        1
    );
    scene.stop().await;
}

#[tokio::test]
async fn one_unroutable_event_among_many_is_told_from_its_neighbours() {
    let scene = Scene::new().await;
    scene.consume().await;
    for index in 0..60 {
        enqueue(&scene.db.pool, &event()).await;
        if index % 7 == 0 {
            let lost = event();
            enqueue(&scene.db.pool, &lost).await;
            sqlx::query("UPDATE outbox SET routing_key = 'nobody.listens.v1' WHERE id = $1")
                .bind(lost.id.uuid())
                .execute(&scene.db.pool)
                .await
                .unwrap();
        }
    }
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        60
    );
    let wrong: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM outbox WHERE (published_at IS NULL) <> (routing_key = 'nobody.listens.v1')",
    )
    .fetch_one(&scene.db.pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0);
    scene.stop().await;
}

#[tokio::test]
async fn an_announcement_needs_no_listener() {
    let scene = Scene::new().await;
    enqueue(&scene.db.pool, &event()).await;
    sqlx::query("UPDATE outbox SET mandatory = false")
        .execute(&scene.db.pool)
        .await
        .unwrap();
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        1
    );
}

#[tokio::test]
async fn a_duplicate_delivery_is_stored_once() {
    let scene = Scene::new().await;
    scene.consume().await;
    let (twice, last) = (event(), event());
    enqueue(&scene.db.pool, &twice).await;
    relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap();
    // A relay that died between confirm and mark publishes again.
    sqlx::query("UPDATE outbox SET published_at = NULL")
        .execute(&scene.db.pool)
        .await
        .unwrap();
    enqueue(&scene.db.pool, &last).await;
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        2
    );
    eventually("both stored", async || scene.stored().await == 2).await;
    scene.stop().await;
}

#[tokio::test]
async fn what_is_no_event_is_parked_with_the_reason_and_blocks_nobody() {
    let scene = Scene::new().await;
    scene.consume().await;
    let (bad, good) = (event(), event());
    enqueue(&scene.db.pool, &bad).await;
    enqueue(&scene.db.pool, &good).await;
    sqlx::query("UPDATE outbox SET payload = '{\"specversion\": \"9.9\"}' WHERE id = $1")
        .bind(bad.id.uuid())
        .execute(&scene.db.pool)
        .await
        .unwrap();
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        2
    );
    eventually("the good one is stored", async || scene.stored().await == 1).await;
    eventually("the bad one is parked", async || {
        scene.bus.count_parked(QUEUE).await.unwrap() == 1
    })
    .await;
    let parked = scene.bus.list_parked(QUEUE, 10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].message_id, Some(bad.id.to_string()));
    assert!(
        parked[0].reason.as_deref().unwrap().contains("not a CloudEvent"),
        "{parked:?}"
    );
    // Looking leaves it there; a replay sends it round again.
    eventually("put back", async || {
        scene.bus.count_parked(QUEUE).await.unwrap() == 1
    })
    .await;
    assert_eq!(scene.bus.replay_parked(QUEUE, 1).await.unwrap(), 1);
    eventually("parked again", async || {
        scene.bus.count_parked(QUEUE).await.unwrap() == 1
    })
    .await;
    scene.stop().await;
}

#[tokio::test]
async fn two_relays_publish_each_event_once() {
    let scene = Scene::new().await;
    scene.consume().await;
    for _ in 0..300 {
        enqueue(&scene.db.pool, &event()).await;
    }
    let other = event_bus::Bus::connect_with(&scene.amqp.secret(), &scene.host, &scene.amqp.prefix);
    let (one, two) = tokio::join!(
        relay_once(&scene.db.pool, scene.bus.publisher()),
        relay_once(&scene.db.pool, other.publisher())
    );
    assert_eq!(one.unwrap() + two.unwrap(), 300);
    let tries: i64 = sqlx::query_scalar("SELECT sum(attempts) FROM outbox")
        .fetch_one(&scene.db.pool)
        .await
        .unwrap();
    assert_eq!(tries, 300);
    scene.stop().await;
}
