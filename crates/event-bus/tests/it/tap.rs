//! Taps: events as they pass, and a gap where some may have been missed.

use std::time::Duration;

use event_bus::{OutboxRow, Signal, TapReceiver, relay_once};

use crate::scene::{Scene, enqueue, event, versions};

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

/// Written in one transaction in any order, and published in the order of the aggregate's versions.
#[tokio::test]
async fn an_aggregates_events_are_heard_in_its_order() {
    let scene = Scene::new().await;
    let tap = scene.bus.tap("inventory.events", "reservation.expired.v1");
    let mut heard = tap.subscribe();
    assert!(matches!(next(&mut heard).await, Signal::Gap), "connected");
    let events = versions(40);
    let rows: Vec<_> = events
        .iter()
        .rev()
        .map(|event| OutboxRow::from_event(event).unwrap())
        .collect();
    let mut tx = scene.db.pool.begin().await.unwrap();
    event_bus::enqueue_all(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 40 {
        let Signal::Event(message) = next(&mut heard).await else {
            panic!("a gap")
        };
        told.push(message.aggregate_version);
    }
    assert!(told.is_sorted(), "{told:?}");
}
