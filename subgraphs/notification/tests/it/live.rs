//! Notifications as they come, whichever replica writes them.

use std::time::Duration;

use contracts::UserId;
use contracts::order::OrderStep;
use contracts::{Event, EventId};
use graphql_kit::WsConfig;
use notification::App;
use serde_json::{Value, json};
use service_auth::Role;
use test_kit::{TestServer, TestSocket};
use tokio::time::timeout;

use crate::stage::Stage;

/// Long enough for the broker; a test that waits for it in full has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const UNREAD: &str = "subscription { unreadNotificationCount }";
const SUBSCRIPTION: &str = "subscription { notificationReceived { id kind title order { id } readAt } }";

#[tokio::test]
async fn what_another_replica_writes_is_shown_once_and_to_its_user_alone() {
    let stage = Stage::new().await;
    let other = stage.replica();
    stage.paid().await;
    let mut own = Socket::open(&stage, &other, stage.user).await;
    let mut stranger = Socket::open(&stage, &other, UserId::generate()).await;
    own.subscribe().await;
    stranger.subscribe().await;
    let order = contracts::OrderId::generate();
    stage.hear(stage.moved(order, OrderStep::Shipped)).await;
    // Published twice, and with it what was there before.
    stage.relay().await;
    sqlx::query("UPDATE outbox SET published_at = NULL")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.relay().await;
    let told = own.next().await;
    let told = &told["data"]["notificationReceived"];
    assert_eq!(
        (&told["kind"], &told["order"]["id"]),
        (&json!("ORDER_SHIPPED"), &json!(order.to_string()))
    );
    stage.hear(stage.moved(order, OrderStep::Delivered)).await;
    stage.relay().await;
    let told = own.next().await;
    assert_eq!(
        told["data"]["notificationReceived"]["kind"], "ORDER_DELIVERED",
        "no repeat before it"
    );
    let silence = timeout(Duration::from_millis(300), stranger.next()).await;
    assert!(silence.is_err(), "{silence:?}");
}

/// The number says that it listens, so that nothing can fall between it and the next.
#[tokio::test]
async fn the_number_of_unread_ones_comes_at_once_and_with_each() {
    let stage = Stage::new().await;
    let other = stage.replica();
    stage.paid().await;
    let mut own = Socket::open(&stage, &other, stage.user).await;
    let mut stranger = Socket::open(&stage, &other, UserId::generate()).await;
    own.socket.subscribe(UNREAD, json!({})).await;
    stranger.socket.subscribe(UNREAD, json!({})).await;
    assert_eq!((own.unread().await, stranger.unread().await), (1, 0));
    let order = contracts::OrderId::generate();
    stage.hear(stage.moved(order, OrderStep::Shipped)).await;
    stage.relay().await;
    // The one before is published with it: each of them says it again.
    while own.unread().await < 2 {}
    sqlx::query("UPDATE notification SET read_at = created_at")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.hear(stage.moved(order, OrderStep::Delivered)).await;
    stage.relay().await;
    while own.unread().await != 1 {}
    let silence = timeout(Duration::from_millis(300), stranger.next()).await;
    assert!(silence.is_err(), "{silence:?}");
}

/// Everything runs by itself: order's event comes by the broker, is told, shown by another replica, and mailed.
#[tokio::test]
async fn from_the_brokers_event_to_the_page_and_the_mailbox() {
    let stage = Stage::new().await;
    let ((_one, one_host), (two, two_host)) = (stage.running(), stage.running());
    let mut socket = Socket::open(&stage, &two, stage.user).await;
    socket.subscribe().await;
    let placed = stage.placed();
    let order = placed.order_id;
    let context = event_bus::context("order", &stage.host.clock);
    let mut events = 0;
    // Order's announcement has no listener until the queue is declared: it is told again until somebody heard.
    let told = loop {
        let event = Event::new(EventId::generate(), &context, events, placed.clone());
        event_bus::enqueue(&mut stage.db.pool.acquire().await.unwrap(), &event)
            .await
            .unwrap();
        events += 1;
        if let Ok(told) = timeout(Duration::from_secs(2), socket.next()).await {
            break told;
        }
        assert!(events < 10, "nobody hears");
    };
    let told = &told["data"]["notificationReceived"];
    assert_eq!(
        (&told["kind"], &told["order"]["id"]),
        (&json!("ORDER_RECEIVED"), &json!(order.to_string()))
    );
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while stage.caught().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "no mail came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.caught()[0].subject, "We have your order");
    for host in [one_host, two_host] {
        host.shutdown.cancel();
        host.tasks.close();
        timeout(PATIENCE, host.tasks.wait())
            .await
            .expect("a drain in time");
    }
}

/// A watcher of notifications.
struct Socket {
    socket: TestSocket,
    _server: TestServer,
}

impl Socket {
    async fn open(stage: &Stage, app: &App, user: UserId) -> Self {
        let token = stage.identity.user_token(user, &[Role::Customer]);
        let config = WsConfig::new(stage.identity.verifier(), Vec::new()).at(notification::LIVE_PATH);
        let schema = notification::live_schema(app.clone());
        let server = TestServer::serve(graphql_kit::ws_router(schema, config, &stage.host)).await;
        let url = server.url(notification::LIVE_PATH.trim_start_matches('/'));
        Self {
            socket: TestSocket::open(&url, &token).await,
            _server: server,
        }
    }

    /// Subscribes, and waits until that has surely begun.
    async fn subscribe(&mut self) {
        self.socket.subscribe(SUBSCRIPTION, json!({})).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    async fn unread(&mut self) -> i64 {
        let told = self.next().await;
        let number = told["data"]["unreadNotificationCount"].as_i64();
        number.unwrap_or_else(|| panic!("{told}"))
    }

    async fn next(&mut self) -> Value {
        let message = timeout(PATIENCE, self.socket.next()).await.unwrap();
        assert_eq!(message["type"], "next", "{message}");
        message["payload"].clone()
    }
}
