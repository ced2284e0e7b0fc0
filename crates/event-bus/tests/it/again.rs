//! Events that are sent again, because a broker lost what it held.

use event_bus::{relay_once, republish};

use crate::scene::{Scene, count, enqueue, event, eventually};

#[tokio::test]
async fn what_is_sent_again_is_received_once() {
    let scene = Scene::new().await;
    scene.consume().await;
    let relay = async || relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap();
    for _ in 0..2 {
        enqueue(&scene.db.pool, &event()).await;
    }
    assert_eq!(relay().await, 2);
    eventually("both are stored", async || scene.stored().await == 2).await;
    assert_eq!(republish(&scene.db.pool).await.unwrap(), 2);
    assert_eq!(scene.unpublished().await, 2);
    // With one that is new: it comes last, so the others have been heard when it is stored.
    let new = event();
    enqueue(&scene.db.pool, &new).await;
    assert_eq!(relay().await, 3);
    eventually("the new one is stored", async || scene.stored().await == 3).await;
    assert_eq!(relay().await, 0);
    scene.stop().await;
}

#[tokio::test]
async fn what_waits_already_and_a_database_without_an_outbox_are_left_alone() {
    let scene = Scene::new().await;
    enqueue(&scene.db.pool, &event()).await;
    sqlx::query("UPDATE outbox SET attempts = 3, next_try_at = now() + interval '1 hour'")
        .execute(&scene.db.pool)
        .await
        .unwrap();
    assert_eq!(republish(&scene.db.pool).await.unwrap(), 0);
    let waiting = "SELECT count(*) FROM outbox WHERE attempts = 3 AND next_try_at > now()";
    assert_eq!(count(&scene.db.pool, waiting).await, 1);
    sqlx::query("UPDATE outbox SET published_at = now(), lease_until = now() + interval '1 hour'")
        .execute(&scene.db.pool)
        .await
        .unwrap();
    assert_eq!(republish(&scene.db.pool).await.unwrap(), 1);
    let due = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND lease_until IS NULL
        AND attempts = 0 AND next_try_at = created_at";
    assert_eq!(count(&scene.db.pool, due).await, 1, "at once, in the old order");
    let empty = test_kit::empty_postgres().await;
    assert_eq!(republish(&empty.pool).await.unwrap(), 0);
}
