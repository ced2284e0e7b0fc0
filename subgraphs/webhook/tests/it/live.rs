//! A process that works by itself: from the broker to the endpoint, and one that is slow holds up nobody.

use std::time::{Duration, Instant};

use contracts::{Event, EventId};
use event_bus::Bus;
use service_kit::Host;

use crate::receiver::Manner;
use crate::stage::{Stage, placed};

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_event_on_the_broker_reaches_the_endpoint() {
    let stage = Stage::new().await;
    let (_, secret) = stage.endpoint("hook").await;
    let (_app, host) = stage.running();
    let publisher = Host::for_test("order");
    let bus = Bus::connect_with(&stage.amqp.secret(), &publisher, &stage.amqp.prefix);
    let event = Event::new(
        EventId::generate(),
        &event_bus::context("order", &publisher.clock),
        1,
        placed(),
    );
    // Order's outbox, which webhook has none of.
    let pool = &stage.db.pool;
    sqlx::raw_sql(event_bus::OUTBOX_SQL).execute(pool).await.unwrap();
    event_bus::enqueue(&mut pool.acquire().await.unwrap(), &event)
        .await
        .unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    // Until the queue is bound, an announcement goes nowhere; a repeat is the same event.
    while stage.receiver.received().is_empty() {
        assert!(Instant::now() < end, "nothing came");
        drop(event_bus::relay_once(pool, bus.publisher()).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
        event_bus::republish(pool).await.unwrap();
    }
    event_bus::relay_once(pool, bus.publisher()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let received = stage.receiver.received();
    assert_eq!(received.len(), 1, "however often it came");
    assert!(received[0].verified_by(&secret));
    host.shutdown.cancel();
    publisher.shutdown.cancel();
}

#[tokio::test]
async fn one_slow_endpoint_holds_up_nobody() {
    let stage = Stage::new().await;
    stage.endpoint("slow").await;
    stage.endpoint("fast").await;
    stage.receiver.set(
        "slow",
        Manner {
            takes: Duration::from_millis(1_500),
            ..Manner::default()
        },
    );
    for _ in 0..40 {
        stage.hear(placed()).await;
    }
    let begun = Instant::now();
    let (_app, host) = stage.running();
    until("the fast one has all", || stage.receiver.at("fast").len() == 40).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(stage.receiver.at("slow").len() <= 28, "it is still at it");
    assert_eq!(stage.receiver.most_at_once("slow"), 4);
    assert!(stage.receiver.most_at_once("fast") <= 4);
    host.shutdown.cancel();
    host.tasks.close();
    tokio::time::timeout(Duration::from_secs(10), host.tasks.wait())
        .await
        .unwrap();
    let held = stage
        .count("SELECT count(*) FROM delivery WHERE lease_until IS NOT NULL")
        .await;
    assert_eq!(held, 0, "what was on its way at the end is settled");
}
