//! Steps as they are watched: old ones first, each once and in order, whoever makes them.

use std::pin::pin;
use std::time::Duration;

use client::Socket;
use contracts::order::OrderStep as Step;
use contracts::{OrderId, UserId};
use futures::{Stream, StreamExt};
use order::domain::State;
use order::{App, AppError, CreateOrder, Created};
use serde_json::json;
use service_auth::Role;
use tokio::time::timeout;

use crate::stage::Stage;

type Batch = Result<Vec<(OrderId, order::domain::order::Event)>, AppError>;

/// Long enough for the broker; a test that waits for it in full has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn next(stream: &mut (impl Stream<Item = Batch> + Unpin)) -> Option<Vec<(i64, Step)>> {
    let batch = timeout(PATIENCE, stream.next()).await.unwrap()?;
    Some(
        batch
            .unwrap()
            .into_iter()
            .map(|(_, event)| (event.sequence, event.step))
            .collect(),
    )
}

async fn rest(stream: &mut (impl Stream<Item = Batch> + Unpin)) -> Vec<(i64, Step)> {
    let mut steps = Vec::new();
    while let Some(batch) = next(stream).await {
        steps.extend(batch);
    }
    steps
}

#[tokio::test]
async fn history_first_then_each_step_once_until_the_end() {
    let stage = Stage::new().await;
    let order = stage.at(State::PaymentPending).await;
    let other = stage.replica();
    let mut all = pin!(stage.app.watch_order(order, 0));
    let mut resumed = pin!(other.watch_order(order, 4));
    assert_eq!(next(&mut all).await.unwrap().len(), 5);
    assert_eq!(next(&mut resumed).await.unwrap(), [(5, Step::PaymentStarted)]);
    stage.capture(order).await;
    stage.run().await;
    // Published twice, and what was published before is no news.
    stage.relay().await;
    sqlx::query("UPDATE outbox SET published_at = NULL")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.relay().await;
    let expected = [
        (6, Step::PaymentCaptured),
        (7, Step::StockConfirmed),
        (8, Step::Paid),
    ];
    assert_eq!(rest(&mut all).await, expected);
    assert_eq!(rest(&mut resumed).await, expected);
}

#[tokio::test]
async fn a_final_order_is_told_and_ends_at_once() {
    let stage = Stage::new().await;
    let order = stage.at(State::Paid).await;
    assert_eq!(rest(&mut pin!(stage.app.watch_order(order, 6))).await.len(), 2);
    assert_eq!(rest(&mut pin!(stage.app.watch_order(order, 8))).await, []);
    assert_eq!(rest(&mut pin!(stage.app.watch_order(order, 99))).await, []);
}

/// Everything runs by itself: two replicas, the broker between them and payment.
#[tokio::test]
async fn a_purchase_through_the_broker_is_seen_by_another_replica() {
    let stage = Stage::new().await;
    let ((buyer, buyers_host), (watcher, watchers_host)) = (stage.running(), stage.running());
    for round in 0..3 {
        let request = stage.request(stage.mugs(5, 1), "pm_card_visa", &format!("through-{round}"));
        let Created::Order(order) = buyer.create_order(request).await.unwrap() else {
            panic!("not placed");
        };
        let mut steps = pin!(watcher.watch_order(order, 0));
        let mut seen = Vec::new();
        while let Some(batch) = next(&mut steps).await {
            if batch.iter().any(|(_, step)| *step == Step::PaymentStarted) {
                stage.capture_by_broker(order).await;
            }
            seen.extend(batch);
        }
        let sequences: Vec<_> = seen.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(seen[7].1, Step::Paid);
    }
    for host in [buyers_host, watchers_host] {
        host.shutdown.cancel();
        host.tasks.close();
        timeout(PATIENCE, host.tasks.wait())
            .await
            .expect("a drain in time");
    }
}

/// Two replicas under load: answers are saved in batches, sagas and events meet, and every order comes to rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_orders_at_once() {
    const ORDERS: usize = 200;
    let stage = Stage::new().await;
    let ((one, one_host), (two, two_host)) = (stage.running(), stage.running());
    let mug = stage.world.variant(150);
    let started = std::time::Instant::now();
    let purchases = futures::stream::iter(0..ORDERS).map(|index| {
        let (buyer, watcher) = if index % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        let cart = stage.world.cart(Some(stage.user), &[(mug, 1)]);
        purchase(
            &stage,
            buyer,
            watcher,
            stage.request(cart, "pm_card_visa", &format!("many-{index}")),
        )
    });
    let ends: Vec<_> = purchases.buffer_unordered(32).collect().await;
    println!("{ORDERS} orders in {:?}", started.elapsed());
    let paid = ends.iter().filter(|(_, end)| *end == Step::Paid).count();
    assert_eq!(paid, 150, "exactly what there was");
    for (order, _) in ends {
        stage.audit(order).await;
    }
    for host in [one_host, two_host] {
        host.shutdown.cancel();
        host.tasks.close();
        timeout(PATIENCE, host.tasks.wait()).await.unwrap();
    }
}

/// Buys, pays, and watches to the end; answers the last step.
async fn purchase(stage: &Stage, buyer: &App, watcher: &App, request: CreateOrder) -> (OrderId, Step) {
    let Created::Order(order) = buyer.create_order(request).await.unwrap() else {
        panic!("not placed");
    };
    let mut steps = pin!(watcher.watch_order(order, 0));
    let mut last = (0, Step::Created);
    while let Some(batch) = next(&mut steps).await {
        for step in batch {
            assert_eq!(step.0, last.0 + 1);
            last = step;
            if step.1 == Step::PaymentStarted {
                stage.capture_by_broker(order).await;
            }
        }
    }
    (order, last.1)
}

#[tokio::test]
async fn the_socket_shows_only_ones_own_order_and_nothing_but_subscriptions() {
    let stage = Stage::new().await;
    let order = stage.at(State::Paid).await;
    let own = stage.identity.user_token(stage.user, &[Role::Customer]);
    let stranger = stage.identity.user_token(UserId::generate(), &[Role::Customer]);
    let query = "subscription($id: ID!, $after: Int!) { orderProgress(orderId: $id, afterSequence: $after) {
        event { sequence step status message at } order { id status isFinal version } } }";
    let variables = json!({ "id": order.to_string(), "after": 6 });
    let mut socket = Socket::open(&stage, &own).await;
    let steps = socket.subscribe(query, variables.clone()).await;
    let shown: Vec<_> = steps
        .iter()
        .map(|step| step["data"]["orderProgress"]["event"]["step"].as_str().unwrap())
        .collect();
    assert_eq!(shown, ["STOCK_CONFIRMED", "PAID"]);
    assert_eq!(steps[1]["data"]["orderProgress"]["order"]["isFinal"], true);
    let mut socket = Socket::open(&stage, &stranger).await;
    let refused = socket.subscribe(query, variables).await;
    assert!(refused[0].to_string().contains("NOT_FOUND"), "{refused:?}");
    let unknown = json!({ "id": OrderId::generate().to_string(), "after": 0 });
    let unknown = socket.subscribe(query, unknown).await;
    assert_eq!(unknown, refused, "somebody else's order is as none");
    let feed = socket
        .subscribe("subscription { orderFeed { event { step } } }", json!({}))
        .await;
    assert!(feed[0].to_string().contains("FORBIDDEN"), "{feed:?}");
    let query = socket.subscribe("{ queries }", json!({})).await;
    assert!(query[0].to_string().contains("Only subscriptions"), "{query:?}");
}

/// What happens before the tap is connected is read once it is.
#[tokio::test]
async fn the_feed_tells_of_every_step_once_from_when_it_is_listened_to() {
    let stage = Stage::new().await;
    stage.at(State::Paid).await;
    stage.relay().await;
    let watcher = stage.replica();
    let mut feed = pin!(watcher.watch_all());
    let order = stage.at(State::Paid).await;
    stage.relay().await;
    let expected: Vec<_> = (1..=8).map(|sequence| (order, sequence)).collect();
    assert_eq!(told(&mut feed, 8).await, expected);
    silent(&mut feed).await;
}

/// The relays of two replicas overtake each other.
#[tokio::test]
async fn the_feed_tells_in_order_what_it_hears_out_of_turn() {
    let stage = Stage::new().await;
    let watcher = stage.replica();
    let mut feed = pin!(watcher.watch_all());
    let first = stage.at(State::Paid).await;
    stage.relay().await;
    assert_eq!(told(&mut feed, 8).await.len(), 8);
    let order = stage.at(State::Paid).await;
    for sequence in [3, 1, 2, 8, 7, 6, 5, 4] {
        stage.relay_only(order, sequence).await;
    }
    let expected: Vec<_> = (1..=8).map(|sequence| (order, sequence)).collect();
    assert_eq!(told(&mut feed, 8).await, expected);
    assert_ne!(first, order);
    silent(&mut feed).await;
}

/// The next steps that a feed tells, at least so many.
async fn told(feed: &mut (impl Stream<Item = Batch> + Unpin), count: usize) -> Vec<(OrderId, i64)> {
    let mut told = Vec::new();
    while told.len() < count {
        let batch = timeout(PATIENCE, feed.next()).await.unwrap().unwrap().unwrap();
        told.extend(batch.into_iter().map(|(order, event)| (order, event.sequence)));
    }
    told
}

async fn silent(feed: &mut (impl Stream<Item = Batch> + Unpin)) {
    let more = timeout(Duration::from_millis(300), feed.next()).await;
    assert!(more.is_err(), "{more:?}");
}

/// A client of the protocol, as small as a test needs it.
mod client {
    use graphql_kit::WsConfig;
    use serde_json::Value;
    use test_kit::{TestServer, TestSocket};

    use super::Stage;

    pub(super) struct Socket {
        socket: TestSocket,
        _server: TestServer,
    }

    impl Socket {
        pub(super) async fn open(stage: &Stage, token: &str) -> Self {
            let config = WsConfig::new(stage.identity.verifier(), Vec::new());
            let schema = order::graphql::live_schema(stage.app.clone());
            let server = TestServer::serve(graphql_kit::ws_router(schema, config, &stage.host)).await;
            Self {
                socket: TestSocket::open(&server.url("graphql/ws"), token).await,
                _server: server,
            }
        }

        /// All payloads of a subscription until it completes or fails.
        pub(super) async fn subscribe(&mut self, query: &str, variables: Value) -> Vec<Value> {
            self.socket.subscribe(query, variables).await;
            let mut payloads = Vec::new();
            loop {
                let message = self.socket.next().await;
                match message["type"].as_str().unwrap() {
                    "next" => payloads.push(message["payload"].clone()),
                    "error" => return vec![message["payload"].clone()],
                    "complete" => return payloads,
                    other => panic!("{other}"),
                }
            }
        }
    }
}
