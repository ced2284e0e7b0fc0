//! A webhook service over a fresh database, stepped by the test.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chrono::DateTime;
use contracts::order::{OrderCreated, OrderStatus, OrderStatusChanged, OrderStep};
use contracts::payment::RefundCompleted;
use contracts::{Currency, Event, EventData, EventId, Money, OrderId, PaymentId, RefundId, UserId};
use event_bus::{Bus, InboxWorker};
use graphql_kit::{GatewayKeys, HttpConfig};
use serde_json::{Value, json};
use service_auth::Role;
use service_kit::Host;
use test_kit::{GATEWAY_KEY, Identity, TestAmqp, TestDb};
use webhook::domain::address::Reach;
use webhook::events::{Door, ORDER_EVENTS, PAYMENT_EVENTS};
use webhook::{App, Parts, Policy, Sender, Vault};

use crate::receiver::Receiver;

/// For a try, so that no test waits long.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) const CREATE: &str =
    "mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
    endpoint { id url description eventTypes enabled disabledReason } secret userErrors { code message field } } }";

pub(crate) struct Stage {
    pub(crate) db: TestDb,
    pub(crate) amqp: TestAmqp,
    pub(crate) host: Host,
    pub(crate) app: App,
    pub(crate) receiver: Receiver,
    pub(crate) own: String,
    pub(crate) support: String,
    pub(crate) admin: String,
    identity: Identity,
    router: Router,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::reaching(Reach::Anywhere).await
    }

    pub(crate) async fn reaching(reach: Reach) -> Self {
        let db = test_kit::postgres(&webhook::MIGRATOR).await;
        let amqp = test_kit::amqp().await;
        let identity = Identity::new();
        let host = Host::for_test("webhook");
        let app = app(&db, &host, reach);
        let config = HttpConfig::new(
            GATEWAY_KEY.parse::<GatewayKeys>().unwrap(),
            identity.verifier(),
            true,
        );
        let router = graphql_kit::router(webhook::schema(app.clone()), config);
        let token = |role| identity.user_token(UserId::generate(), &[role]);
        let (own, support, admin) = (token(Role::Customer), token(Role::Support), token(Role::Admin));
        Self {
            db,
            amqp,
            host,
            app,
            receiver: Receiver::new().await,
            own,
            support,
            admin,
            identity,
            router,
        }
    }

    /// A token of another administrator.
    pub(crate) fn other_admin(&self) -> String {
        self.identity.user_token(UserId::generate(), &[Role::Admin])
    }

    /// A process that works by itself, on broker connections of its own.
    pub(crate) fn running(&self) -> (App, Host) {
        let host = Host::for_test("webhook");
        let bus = Bus::connect_with(&self.amqp.secret(), &host, &self.amqp.prefix);
        let app = app(&self.db, &host, Reach::Anywhere);
        app.run_workers();
        webhook::hear(&app, &bus, &host);
        (app, host)
    }

    /// Another process that is stepped.
    pub(crate) fn replica(&self) -> App {
        app(&self.db, &self.host, Reach::Anywhere)
    }

    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.router, token, query, variables).await
    }

    pub(crate) async fn admin(&self, query: &str, input: Value) -> Value {
        self.ask(Some(&self.admin), query, json!({ "input": input }))
            .await
    }

    /// An endpoint at a path of the receiver that asks for everything; its id and its secret.
    pub(crate) async fn endpoint(&self, path: &str) -> (String, String) {
        let types = ["ORDER_CREATED", "ORDER_STATUS_CHANGED", "REFUND_COMPLETED"];
        self.endpoint_for(path, &types).await
    }

    pub(crate) async fn endpoint_for(&self, path: &str, types: &[&str]) -> (String, String) {
        let input = json!({
            "idempotencyKey": format!("make-endpoint-{path}"),
            "url": self.receiver.url(path),
            "eventTypes": types,
        });
        let answer = self.admin(CREATE, input).await;
        let made = &answer["data"]["createWebhookEndpoint"];
        assert_eq!(made["userErrors"], json!([]), "{answer}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["endpoint"]["id"]), text(&made["secret"]))
    }

    /// Delivers an event as the broker would, and applies it.
    pub(crate) async fn hear<T: EventData>(&self, data: T) -> EventId {
        let id = EventId::generate();
        self.hear_as(id, data).await;
        id
    }

    pub(crate) async fn hear_as<T: EventData>(&self, id: EventId, data: T) {
        let context = event_bus::context("order", &self.host.clock);
        self.hear_event(Event::new(id, &context, 1, data)).await;
    }

    /// A repeat is stored anew, as after a pruned inbox.
    pub(crate) async fn hear_event<T: EventData>(&self, event: Event<T>) {
        sqlx::query(
            "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (consumer, message_id) DO UPDATE SET status = 'PENDING', done_at = NULL, attempts = 0",
        )
        .bind(queue::<T>())
        .bind(event.id.uuid())
        .bind(&event.kind)
        .bind(&event.subject)
        .bind(serde_json::to_value(&event).unwrap())
        .execute(&self.db.pool)
        .await
        .unwrap();
        for queue in [ORDER_EVENTS.queue, PAYMENT_EVENTS.queue] {
            let door = Arc::new(Door(self.app.clone()));
            InboxWorker::new(self.db.pool.clone(), queue, door).step().await;
        }
    }

    /// Sends what is due.
    pub(crate) async fn send(&self) -> usize {
        self.app.send_due().await.unwrap()
    }

    /// Ends waits and leases, as time would.
    pub(crate) async fn later(&self) {
        self.run(
            "UPDATE delivery SET next_try_at = now() - interval '1 second',
                 lease_until = CASE WHEN lease_until IS NOT NULL THEN now() - interval '1 second' END
             WHERE state = 'PENDING'",
        )
        .await;
    }

    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.db.pool).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap()
    }

    /// State, tries, status and reason of the only delivery.
    pub(crate) async fn delivery(&self) -> (String, i32, Option<i32>, Option<String>) {
        sqlx::query_as("SELECT state, attempts, last_status, last_error FROM delivery")
            .fetch_one(&self.db.pool)
            .await
            .unwrap()
    }

    /// How long the only delivery waits yet.
    pub(crate) async fn wait_s(&self) -> f64 {
        let sql =
            "SELECT extract(epoch FROM next_try_at - now())::float8 FROM delivery WHERE lease_until IS NULL";
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap()
    }

    /// Whether the only endpoint is on, and why not.
    pub(crate) async fn standing(&self) -> (bool, Option<String>) {
        sqlx::query_as("SELECT enabled, disabled_reason FROM endpoint")
            .fetch_one(&self.db.pool)
            .await
            .unwrap()
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

pub(crate) fn placed() -> OrderCreated {
    OrderCreated {
        order_id: OrderId::generate(),
        user_id: UserId::generate(),
        total: Money::new(1_999, Currency::EUR),
        lines: Vec::new(),
        discount: None,
    }
}

pub(crate) fn moved() -> OrderStatusChanged {
    OrderStatusChanged {
        order_id: OrderId::generate(),
        user_id: UserId::generate(),
        sequence: 8,
        step: OrderStep::Paid,
        status: OrderStatus::Paid,
        cancel_reason: None,
        at: DateTime::UNIX_EPOCH,
    }
}

pub(crate) fn refunded() -> RefundCompleted {
    RefundCompleted {
        refund_id: RefundId::generate(),
        payment_id: PaymentId::generate(),
        order_id: OrderId::generate(),
        amount: Money::new(1_999, Currency::EUR),
        reason: "late_payment".to_owned(),
        fully_refunded: true,
    }
}

fn queue<T: EventData>() -> &'static str {
    if T::EXCHANGE == contracts::payment::EXCHANGE {
        PAYMENT_EVENTS.queue
    } else {
        ORDER_EVENTS.queue
    }
}

fn app(db: &TestDb, host: &Host, reach: Reach) -> App {
    let parts = Parts {
        requests: db.pool.clone(),
        workers: db.pool.clone(),
        sender: Sender::try_new(reach, PATIENCE).unwrap(),
        vault: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
            .parse::<Vault>()
            .unwrap(),
        policy: Policy {
            patience: PATIENCE,
            ..Policy::default()
        },
    };
    App::new(parts, host)
}
