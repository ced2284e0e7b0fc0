//! A notification service over a fresh database, stepped by the test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use chrono::DateTime;
use contracts::auth::{Contact, ContactLookup, Contacts};
use contracts::order::{CancelReason, OrderCreated, OrderStatus, OrderStatusChanged, OrderStep};
use contracts::payment::RefundCompleted;
use contracts::{Currency, Event, EventData, EventId, Money, OrderId, PaymentId, RefundId, UserId};
use event_bus::{Bus, InboxWorker, RelayHandle};
use mail_sandbox::{Caught, Sandbox};
use notification::events::{Door, ORDER_EVENTS, PAYMENT_EVENTS};
use notification::{App, Auth, Mailer, Parts, Policy, SmtpConfig};
use service_auth::only;
use service_kit::{Clock, Env, Host};
use test_kit::{Identity, TestAmqp, TestDb, TestServer};
use tokio::net::TcpListener;

pub(crate) const TOTAL: Money = Money::new(1_999, Currency::EUR);
pub(crate) const ADDRESS: &str = "ada@example.com";
/// Tries before a mail is given up.
pub(crate) const TRIES: u32 = 3;

/// Auth, as far as notification can see it.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<Directory>>);

#[derive(Default)]
struct Directory {
    contacts: HashMap<UserId, Contact>,
    away: bool,
}

pub(crate) struct Stage {
    pub(crate) db: TestDb,
    pub(crate) amqp: TestAmqp,
    pub(crate) identity: Identity,
    pub(crate) host: Host,
    pub(crate) bus: Bus,
    pub(crate) app: App,
    pub(crate) user: UserId,
    pub(crate) known: Known,
    pub(crate) sandbox: Sandbox,
    smtp: Vec<(&'static str, String)>,
    auth: TestServer,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let db = test_kit::postgres(&notification::MIGRATOR).await;
        let amqp = test_kit::amqp().await;
        let identity = Identity::new();
        let host = Host::for_test("notification");
        let bus = Bus::connect_with(&amqp.secret(), &host, &amqp.prefix);
        let known = Known::default();
        let auth = TestServer::serve(known.router(&identity)).await;
        let sandbox = Sandbox::new(Clock::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = vec![
            ("SMTP_ADDR", listener.local_addr().unwrap().to_string()),
            ("SMTP_TLS", "none".to_owned()),
        ];
        tokio::spawn(mail_sandbox::serve(
            listener,
            sandbox.clone(),
            host.shutdown.clone(),
        ));
        let app = app(&db, &auth, &smtp, &identity, &host, &bus, RelayHandle::default());
        let user = UserId::generate();
        known.add(user, ADDRESS, "Ada");
        Self {
            db,
            amqp,
            identity,
            host,
            bus,
            app,
            user,
            known,
            sandbox,
            smtp,
            auth,
        }
    }

    /// A process that works by itself, on broker connections of its own.
    pub(crate) fn running(&self) -> (App, Host) {
        let host = Host::for_test("notification");
        let bus = Bus::connect_with(&self.amqp.secret(), &host, &self.amqp.prefix);
        let relay = bus.run_relay(self.db.pool.clone(), &[]);
        let app = app(
            &self.db,
            &self.auth,
            &self.smtp,
            &self.identity,
            &host,
            &bus,
            relay,
        );
        app.run_workers();
        notification::hear(&app, &bus, &host);
        (app, host)
    }

    /// Another process that is stepped.
    pub(crate) fn replica(&self) -> App {
        self.replica_with(&self.smtp)
    }

    /// One that knows another mail server.
    pub(crate) fn replica_with(&self, smtp: &[(&'static str, String)]) -> App {
        let relay = RelayHandle::default();
        app(
            &self.db,
            &self.auth,
            smtp,
            &self.identity,
            &self.host,
            &self.bus,
            relay,
        )
    }

    /// Publishes the outbox.
    pub(crate) async fn relay(&self) {
        event_bus::relay_once(&self.db.pool, self.bus.publisher())
            .await
            .unwrap();
    }

    /// Delivers an event as the broker would, and applies it.
    pub(crate) async fn hear<T: EventData>(&self, data: T) -> EventId {
        let id = EventId::generate();
        self.hear_as(id, data).await;
        id
    }

    pub(crate) async fn hear_as<T: EventData>(&self, id: EventId, data: T) {
        self.store(id, data).await;
        self.step().await;
    }

    /// Stores an event as the consumer does; a repeat is stored anew, as after a pruned inbox.
    pub(crate) async fn store<T: EventData>(&self, id: EventId, data: T) {
        let event = Event::new(id, &event_bus::context("order", &self.host.clock), 1, data);
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
    }

    /// Applies what is stored and due, of both queues.
    pub(crate) async fn step(&self) {
        for queue in [ORDER_EVENTS.queue, PAYMENT_EVENTS.queue] {
            let door = Arc::new(Door(self.app.clone()));
            InboxWorker::new(self.db.pool.clone(), queue, door).step().await;
        }
    }

    /// Sends what is due.
    pub(crate) async fn send(&self) -> usize {
        self.app.send_mails().await.unwrap()
    }

    /// Ends waits and leases, as time would.
    pub(crate) async fn later(&self) {
        sqlx::query(
            "UPDATE mail SET next_try_at = now() - interval '1 second',
                 lease_until = CASE WHEN lease_until IS NOT NULL THEN now() - interval '1 second' END
             WHERE state = 'PENDING'",
        )
        .execute(&self.db.pool)
        .await
        .unwrap();
        sqlx::query("UPDATE inbox SET next_try_at = now() - interval '1 second' WHERE status = 'PENDING'")
            .execute(&self.db.pool)
            .await
            .unwrap();
    }

    pub(crate) fn caught(&self) -> Vec<Caught> {
        self.sandbox.mails()
    }

    /// State, tries and reason of the only mail.
    pub(crate) async fn mail(&self) -> (String, i32, Option<String>) {
        sqlx::query_as("SELECT state, attempts, last_error FROM mail")
            .fetch_one(&self.db.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let sql = match table {
            "notification" => "SELECT count(*) FROM notification",
            "mail" => "SELECT count(*) FROM mail",
            _ => "SELECT count(*) FROM outbox",
        };
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap()
    }

    pub(crate) fn placed(&self) -> OrderCreated {
        OrderCreated {
            order_id: OrderId::generate(),
            user_id: self.user,
            total: TOTAL,
            lines: Vec::new(),
            discount: None,
        }
    }

    pub(crate) fn moved(&self, order: OrderId, step: OrderStep) -> OrderStatusChanged {
        OrderStatusChanged {
            order_id: order,
            user_id: self.user,
            sequence: 8,
            step,
            status: OrderStatus::Paid,
            cancel_reason: (step == OrderStep::Cancelled).then_some(CancelReason::OutOfStock),
            at: DateTime::UNIX_EPOCH,
        }
    }

    /// Tells of a paid order, and answers which.
    pub(crate) async fn paid(&self) -> OrderId {
        let order = OrderId::generate();
        self.hear(self.moved(order, OrderStep::Paid)).await;
        order
    }
}

pub(crate) fn refunded(order_id: OrderId) -> RefundCompleted {
    RefundCompleted {
        refund_id: RefundId::generate(),
        payment_id: PaymentId::generate(),
        order_id,
        amount: TOTAL,
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

impl Drop for Stage {
    fn drop(&mut self) {
        self.host.shutdown.cancel();
    }
}

impl Known {
    pub(crate) fn add(&self, user: UserId, email: &str, display_name: &str) {
        let contact = Contact {
            user_id: user,
            email: email.to_owned(),
            display_name: display_name.to_owned(),
        };
        self.0.lock().unwrap().contacts.insert(user, contact);
    }

    pub(crate) fn forget(&self, user: UserId) {
        self.0.lock().unwrap().contacts.remove(&user);
    }

    pub(crate) fn be_away(&self, away: bool) {
        self.0.lock().unwrap().away = away;
    }

    fn router(&self, identity: &Identity) -> Router {
        let services = identity.service_verifier("auth");
        Router::new()
            .route(
                "/contacts/lookup",
                post(lookup).layer(only(&services, &["notification"])),
            )
            .with_state(self.clone())
    }
}

async fn lookup(State(known): State<Known>, Json(question): Json<ContactLookup>) -> Response {
    let directory = known.0.lock().unwrap();
    if directory.away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let ids = question.user_ids.iter();
    let contacts = ids.filter_map(|id| directory.contacts.get(id).cloned()).collect();
    Json(Contacts { contacts }).into_response()
}

fn app(
    db: &TestDb,
    auth: &TestServer,
    smtp: &[(&'static str, String)],
    identity: &Identity,
    host: &Host,
    bus: &Bus,
    relay: RelayHandle,
) -> App {
    let mut pairs = vec![
        ("MAIL_FROM", "Mercato <shop@mercato.example>".to_owned()),
        ("SHOP_URL", "https://shop.example".to_owned()),
    ];
    pairs.extend_from_slice(smtp);
    let mut env = Env::from_pairs(pairs);
    let parts = Parts {
        requests: db.pool.clone(),
        workers: db.pool.clone(),
        auth: Auth::new(auth.base.clone(), identity.service_key("notification")),
        mailer: Mailer::try_new(SmtpConfig::from_env(&mut env).unwrap()).unwrap(),
        relay,
        told: bus.tap(contracts::notification::EXCHANGE, "notification.created.v1"),
        policy: Policy {
            tries: TRIES,
            ..Policy::default()
        },
    };
    App::new(parts, host)
}
