//! An analytics service over a fresh database, stepped by the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use analytics::events::{Door, ORDER_EVENTS, PAYMENT_EVENTS};
use analytics::{App, Cart, Parts};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::UserId;
use contracts::cart::{CartsStarted, CartsStartedHour};
use event_bus::InboxWorker;
use graphql_kit::{GatewayKeys, HttpConfig};
use serde::Deserialize;
use serde_json::Value;
use service_auth::{Role, only};
use service_kit::{Clock, Host};
use test_kit::{GATEWAY_KEY, Identity, TestDb, TestServer};

use crate::life::{Life, at};

pub(crate) struct Stage {
    pub(crate) db: TestDb,
    pub(crate) app: App,
    pub(crate) host: Host,
    pub(crate) clock: Clock,
    /// Carts that cart tells of in the hour that is asked for last; `u64::MAX`: it is away.
    pub(crate) carts: Arc<AtomicU64>,
    router: Router,
    identity: Identity,
    _cart: TestServer,
}

/// What all sums, and what is known of orders, come to as text.
pub(crate) type Sums = Vec<(&'static str, Vec<String>)>;

const TABLES: [(&str, &str); 11] = [
    (
        "order_fact",
        "SELECT row_to_json(t)::text FROM order_fact t ORDER BY 1",
    ),
    (
        "buyer_day",
        "SELECT row_to_json(t)::text FROM buyer_day t ORDER BY 1",
    ),
    (
        "sales_hour",
        "SELECT row_to_json(t)::text FROM sales_hour t ORDER BY 1",
    ),
    (
        "product_day",
        "SELECT row_to_json(t)::text FROM product_day t ORDER BY 1",
    ),
    (
        "category_day",
        "SELECT row_to_json(t)::text FROM category_day t ORDER BY 1",
    ),
    (
        "refusal_day",
        "SELECT row_to_json(t)::text FROM refusal_day t ORDER BY 1",
    ),
    (
        "latency_hour",
        "SELECT row_to_json(t)::text FROM latency_hour t ORDER BY 1",
    ),
    (
        "customer_day",
        "SELECT row_to_json(t)::text FROM customer_day t ORDER BY 1",
    ),
    ("pair", "SELECT row_to_json(t)::text FROM pair t ORDER BY 1"),
    (
        "product_orders",
        "SELECT row_to_json(t)::text FROM product_orders t ORDER BY 1",
    ),
    (
        "basket_total",
        "SELECT row_to_json(t)::text FROM basket_total t ORDER BY 1",
    ),
];

impl Stage {
    pub(crate) async fn new() -> Self {
        let db = test_kit::postgres(&analytics::MIGRATOR).await;
        let identity = Identity::new();
        let clock = Clock::manual(at("2026-11-27T05:30:00Z"));
        let mut host = Host::for_test("analytics");
        host.clock = clock.clone();
        let carts = Arc::new(AtomicU64::new(0));
        let services = identity.service_verifier("cart");
        let cart = Router::new()
            .route(
                "/carts/started",
                get(started).layer(only(&services, &["analytics"])),
            )
            .with_state(carts.clone());
        let cart = TestServer::serve(cart).await;
        let parts = Parts {
            requests: db.pool.clone(),
            workers: db.pool.clone(),
            cart: Cart::new(cart.base.clone(), identity.service_key("analytics")),
        };
        let app = App::new(parts, &host);
        let keys = GATEWAY_KEY.parse::<GatewayKeys>().unwrap();
        let config = HttpConfig::new(keys, identity.verifier(), true);
        let router = graphql_kit::router(analytics::schema(app.clone()), config);
        Self {
            db,
            app,
            host,
            clock,
            carts,
            router,
            identity,
            _cart: cart,
        }
    }

    /// Delivers events as the broker would, and applies what is due.
    pub(crate) async fn hear(&self, events: &[Value]) {
        self.store(events).await;
        self.step().await;
    }

    pub(crate) async fn hear_all(&self, lives: &[Life]) {
        for life in lives {
            self.store(&life.events).await;
        }
        self.step().await;
    }

    /// Stores events as the consumer does; a repeat is stored anew, as after a pruned inbox.
    pub(crate) async fn store(&self, events: &[Value]) {
        let (queues, ids): (Vec<&str>, Vec<uuid::Uuid>) = events
            .iter()
            .map(|event| {
                let queue = match event["type"].as_str().unwrap() {
                    "refund.completed.v1" => PAYMENT_EVENTS.queue,
                    _ => ORDER_EVENTS.queue,
                };
                let id: contracts::EventId = event["id"].as_str().unwrap().parse().unwrap();
                (queue, id.uuid())
            })
            .unzip();
        sqlx::query(
            "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload)
             SELECT consumer, id, body::json ->> 'type', body::json ->> 'subject', body::json
             FROM unnest($1::text[], $2::uuid[], $3::text[]) AS event (consumer, id, body)
             ON CONFLICT (consumer, message_id) DO UPDATE SET status = 'PENDING', done_at = NULL, attempts = 0",
        )
        .bind(queues)
        .bind(ids)
        .bind(events.iter().map(Value::to_string).collect::<Vec<_>>())
        .execute(&self.db.pool)
        .await
        .unwrap();
    }

    /// Applies what is stored and due, of both queues.
    pub(crate) async fn step(&self) {
        for queue in [ORDER_EVENTS.queue, PAYMENT_EVENTS.queue] {
            let worker = InboxWorker::new(self.db.pool.clone(), queue, Arc::new(Door));
            while worker.step().await > 0 {}
        }
    }

    /// How many stored events have this status.
    pub(crate) async fn inbox(&self, status: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM inbox WHERE status = $1")
            .bind(status)
            .fetch_one(&self.db.pool)
            .await
            .unwrap()
    }

    /// Everything that is made from the facts.
    pub(crate) async fn sums(&self) -> Sums {
        let mut sums = Vec::new();
        for (table, sql) in TABLES {
            let rows = sqlx::query_scalar(sql).fetch_all(&self.db.pool).await.unwrap();
            sums.push((table, rows));
        }
        sums
    }

    pub(crate) async fn rebuild(&self) {
        let begun = self
            .app
            .begin_rebuild(UserId::generate(), "a test")
            .await
            .unwrap();
        begun.work.unwrap().await.unwrap();
    }

    /// Asks as a member of staff.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_as(Some(Role::Support), query, variables).await
    }

    pub(crate) async fn ask_as(&self, role: Option<Role>, query: &str, variables: Value) -> Value {
        let token = role.map(|role| self.identity.user_token(UserId::generate(), &[role]));
        test_kit::graphql(&self.router, token.as_deref(), query, variables).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.host.shutdown.cancel();
    }
}

pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[derive(Deserialize)]
struct Hours {
    from: DateTime<Utc>,
    hours: u16,
}

async fn started(State(carts): State<Arc<AtomicU64>>, Query(asked): Query<Hours>) -> Response {
    let told = carts.load(Ordering::SeqCst);
    if told == u64::MAX {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let hours = (0..asked.hours).map(|number| CartsStartedHour {
        hour: asked.from + TimeDelta::hours(i64::from(number)),
        carts: if number + 1 == asked.hours { told } else { 0 },
    });
    let hours = hours.collect();
    Json(CartsStarted { hours }).into_response()
}
