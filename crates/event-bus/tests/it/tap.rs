//! Taps: events as they pass, and a gap where some may have been missed.

use std::time::Duration;

use event_bus::{Signal, TapReceiver, relay_once};

use crate::scene::{Scene, enqueue, event};

async fn next(receiver: &mut TapReceiver) -> Signal {
    tokio::time::timeout(Duration::from_secs(10), receiver.next())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_tap_hears_events_after_its_first_gap() {
    let scene = Scene::new().await;
    let tap = scene.bus.tap("inventory.events", "reservation.expired.v1");
    let (mine, other) = (event(), event());
    let (mut all, mut one) = (tap.subscribe(), tap.subscribe_to(&mine.subject));
    assert!(matches!(next(&mut all).await, Signal::Gap), "connected");
    assert!(matches!(next(&mut one).await, Signal::Gap), "connected");
    enqueue(&scene.db.pool, &other).await;
    enqueue(&scene.db.pool, &mine).await;
    assert_eq!(
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap(),
        2
    );
    assert!(matches!(next(&mut one).await, Signal::Event(message) if message.id == mine.id));
    assert!(matches!(next(&mut all).await, Signal::Event(message) if message.id == other.id));
    scene.stop().await;
    assert!(matches!(next(&mut all).await, Signal::Event(_)));
    assert!(all.next().await.is_none(), "closed");
}
