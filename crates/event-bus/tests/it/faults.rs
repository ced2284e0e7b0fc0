//! The broker's connections cut, and PostgreSQL away.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_bus::{Bus, Signal, relay_once};
use service_kit::Secret;
use sqlx::postgres::PgPoolOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::scene::{SPEC, Scene, enqueue, event, eventually};

/// A TCP link that can be cut: while it is, connections break and new ones are refused.
struct Link {
    port: u16,
    open: Arc<watch::Sender<bool>>,
}

impl Link {
    async fn to(target: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(watch::Sender::new(true));
        let state = Arc::clone(&open);
        tokio::spawn(async move {
            let mut links = JoinSet::new();
            loop {
                let (mut inner, _) = listener.accept().await.unwrap();
                let (target, mut state) = (target.clone(), state.subscribe());
                if !*state.borrow() {
                    continue;
                }
                links.spawn(async move {
                    let mut outer = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut inner, &mut outer) => {}
                        _ = state.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { port, open }
    }

    async fn in_front_of(url: &str) -> (Self, String) {
        let mut url: url::Url = url.parse().unwrap();
        let link = Self::to((url.host_str().unwrap().to_owned(), url.port().unwrap())).await;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(link.port)).unwrap();
        (link, url.to_string())
    }

    fn cut(&self) {
        self.open.send_replace(false);
    }

    fn mend(&self) {
        self.open.send_replace(true);
    }
}

#[tokio::test]
async fn every_role_is_rebuilt_after_the_connections_break() {
    let scene = Scene::new().await;
    let (link, url) = Link::in_front_of(&scene.amqp.url).await;
    let bus = Bus::connect_with(&Secret::new(url), &scene.host, &scene.amqp.prefix);
    let tap = bus.tap("inventory.events", "reservation.expired.v1");
    let mut heard = tap.subscribe();
    bus.run_consumer(scene.db.pool.clone(), SPEC);
    let relay = bus.run_relay(scene.db.pool.clone(), &[]);
    // Before the queue exists, the tap's would be route enough for a mandatory event.
    eventually("all roles are up", async || {
        scene.host.readiness.report().components["rabbitmq"] == "up"
    })
    .await;
    for round in 1..=3 {
        enqueue(&scene.db.pool, &event()).await;
        relay.wake();
        eventually("stored", async || scene.stored().await == round).await;
        link.cut();
        eventually("noticed", async || {
            scene.host.readiness.report().components["rabbitmq"] != "up"
        })
        .await;
        link.mend();
    }
    eventually("all roles are back", async || {
        scene.host.readiness.report().components["rabbitmq"] == "up"
    })
    .await;
    let mut gaps = 0;
    while let Ok(Some(signal)) = tokio::time::timeout(Duration::from_millis(200), heard.next()).await {
        gaps += i32::from(matches!(signal, Signal::Gap));
    }
    assert!(gaps >= 2, "each reconnection is a gap, saw {gaps}");
    scene.stop().await;
}

#[tokio::test]
async fn events_wait_for_the_broker() {
    let scene = Scene::new().await;
    scene.consume().await;
    let (link, url) = Link::in_front_of(&scene.amqp.url).await;
    let bus = Bus::connect_with(&Secret::new(url), &scene.host, &scene.amqp.prefix);
    link.cut();
    enqueue(&scene.db.pool, &event()).await;
    assert!(relay_once(&scene.db.pool, bus.publisher()).await.is_err());
    let leased = "SELECT count(*) FROM outbox WHERE lease_until IS NOT NULL OR attempts > 0";
    assert_eq!(
        crate::scene::count(&scene.db.pool, leased).await,
        0,
        "nothing is claimed without a broker"
    );
    link.mend();
    eventually("published", async || {
        relay_once(&scene.db.pool, bus.publisher())
            .await
            .is_ok_and(|count| count == 1)
    })
    .await;
    scene.stop().await;
}

#[tokio::test]
async fn deliveries_wait_for_postgres() {
    let scene = Scene::new().await;
    let (link, url) = Link::in_front_of(&scene.db.url).await;
    let pool = PgPoolOptions::new()
        .acquire_timeout(Duration::from_millis(500))
        .connect(&url)
        .await
        .unwrap();
    scene.bus.run_consumer(pool, SPEC);
    eventually("consuming", async || {
        scene.host.readiness.report().components["rabbitmq"] == "up"
    })
    .await;
    link.cut();
    for _ in 0..150 {
        enqueue(&scene.db.pool, &event()).await;
    }
    eventually("published", async || {
        relay_once(&scene.db.pool, scene.bus.publisher()).await.unwrap();
        scene.unpublished().await == 0
    })
    .await;
    assert_eq!(scene.stored().await, 0);
    link.mend();
    eventually("stored", async || scene.stored().await == 150).await;
    assert_eq!(
        scene.bus.count_parked(SPEC.queue).await.unwrap(),
        0,
        "nothing was rejected"
    );
    scene.stop().await;
}

/// Class and method of the answers to `basic.consume` and `confirm.select`.
const CONSUME_OK: [u8; 4] = [0, 60, 0, 21];
const SELECT_OK: [u8; 4] = [0, 85, 0, 11];
const METHOD_FRAME: u8 = 1;
/// Type, channel and size.
const FRAME_HEADER: usize = 7;

/// A broker that lives, but leaves some questions unanswered.
async fn forgetful(target: String, unanswered: Vec<[u8; 4]>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let unanswered = Arc::new(Mutex::new(unanswered));
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let broker = TcpStream::connect(&target).await.unwrap();
            let ((mut asked, mut told), (mut answers, mut asks)) = (client.into_split(), broker.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut asked, &mut asks).await });
            let unanswered = Arc::clone(&unanswered);
            tokio::spawn(async move {
                let mut frame = Vec::new();
                loop {
                    frame.resize(FRAME_HEADER, 0);
                    answers.read_exact(&mut frame).await?;
                    let size = u32::from_be_bytes(frame[3..FRAME_HEADER].try_into().unwrap());
                    // With the octet that ends it.
                    frame.resize(FRAME_HEADER + size as usize + 1, 0);
                    answers.read_exact(&mut frame[FRAME_HEADER..]).await?;
                    if frame[0] == METHOD_FRAME {
                        let mut unanswered = unanswered.lock().unwrap();
                        let method = &frame[FRAME_HEADER..FRAME_HEADER + 4];
                        if let Some(found) = unanswered.iter().position(|one| one == method) {
                            unanswered.remove(found);
                            continue;
                        }
                    }
                    told.write_all(&frame).await?;
                }
                #[expect(unreachable_code, reason = "names the block's type")]
                std::io::Result::Ok(())
            });
        }
    });
    port
}

/// As a broker does that has just come back: its queues have no leaders yet.
#[tokio::test]
async fn a_role_that_gets_no_answer_while_it_prepares_begins_anew() {
    let scene = Scene::new().await;
    let mut url: url::Url = scene.amqp.url.parse().unwrap();
    let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let unanswered = vec![CONSUME_OK, CONSUME_OK, SELECT_OK];
    url.set_port(Some(forgetful(target, unanswered).await)).unwrap();
    let bus = Bus::connect_with(&Secret::new(url.to_string()), &scene.host, &scene.amqp.prefix);
    let tap = bus.tap("inventory.events", "reservation.expired.v1");
    let mut heard = tap.subscribe();
    bus.run_consumer(scene.db.pool.clone(), SPEC);
    let relay = bus.run_relay(scene.db.pool.clone(), &[]);
    let patience = Duration::from_mins(1);
    let connected = tokio::time::timeout(patience, heard.next()).await.unwrap();
    assert!(matches!(connected, Some(Signal::Gap)));
    eventually("all roles are up", async || {
        scene.host.readiness.report().components["rabbitmq"] == "up"
    })
    .await;
    enqueue(&scene.db.pool, &event()).await;
    relay.wake();
    let told = tokio::time::timeout(patience, heard.next()).await.unwrap();
    assert!(matches!(told, Some(Signal::Event(_))));
    eventually("the event is stored", async || scene.stored().await == 1).await;
    scene.stop().await;
}
