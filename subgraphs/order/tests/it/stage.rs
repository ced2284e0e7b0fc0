//! An order service over a fresh database, stepped by the test.

use std::sync::Arc;

use contracts::inventory::ReservationExpired;
use contracts::order::{OrderStatus, OrderStep};
use contracts::payment::{PaymentFailed, PaymentSucceeded, RefundCompleted};
use contracts::{CartId, Event, EventData, EventId, OrderId, UserId};
use event_bus::{Bus, InboxWorker, RelayHandle};
use order::domain::{Order, State};
use order::events::{Door, INVENTORY_EVENTS, PAYMENT_EVENTS, Source};
use order::{Addresses, App, Clients, CreateOrder, Created, Parts, Policy};
use service_kit::Host;
use sqlx::PgPool;
use test_kit::{Identity, TestAmqp, TestDb, TestServer};

use crate::world::World;

pub(crate) struct Stage {
    pub(crate) db: TestDb,
    pub(crate) amqp: TestAmqp,
    pub(crate) world: World,
    pub(crate) identity: Identity,
    pub(crate) app: App,
    pub(crate) user: UserId,
    pub(crate) host: Host,
    pub(crate) bus: Bus,
    services: TestServer,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let db = test_kit::postgres(&order::MIGRATOR).await;
        let amqp = test_kit::amqp().await;
        let world = World::default();
        let services = TestServer::serve(world.router()).await;
        let identity = Identity::new();
        let host = Host::for_test("order");
        let bus = Bus::connect_with(&amqp.secret(), &host, &amqp.prefix);
        let app = replica(
            &db.pool,
            &services,
            &identity,
            &host,
            &bus,
            RelayHandle::default(),
        );
        Self {
            db,
            amqp,
            world,
            identity,
            app,
            user: UserId::generate(),
            host,
            bus,
            services,
        }
    }

    /// Another process of the same service.
    pub(crate) fn replica(&self) -> App {
        let relay = RelayHandle::default();
        replica(
            &self.db.pool,
            &self.services,
            &self.identity,
            &self.host,
            &self.bus,
            relay,
        )
    }

    /// A process that works by itself, on broker connections of its own.
    pub(crate) fn running(&self) -> (App, Host) {
        let host = Host::for_test("order");
        let bus = Bus::connect_with(&self.amqp.secret(), &host, &self.amqp.prefix);
        let relay = bus.run_relay(self.db.pool.clone(), &[]);
        let app = replica(&self.db.pool, &self.services, &self.identity, &host, &bus, relay);
        app.run_workers();
        order::hear(&app, &bus, &host);
        (app, host)
    }

    /// Publishes the outbox.
    pub(crate) async fn relay(&self) {
        event_bus::relay_once(&self.db.pool, self.bus.publisher())
            .await
            .unwrap();
    }

    /// Publishes one step of an order and holds back all else.
    pub(crate) async fn relay_only(&self, order: OrderId, sequence: i64) {
        sqlx::query(
            "UPDATE outbox SET next_try_at = CASE WHEN aggregate_id = $1 AND aggregate_version = $2
                 THEN statement_timestamp() ELSE 'infinity' END
             WHERE published_at IS NULL",
        )
        .bind(order.to_string())
        .bind(sequence)
        .execute(&self.db.pool)
        .await
        .unwrap();
        self.relay().await;
    }

    /// The provider takes the money, and payment tells through the broker.
    pub(crate) async fn capture_by_broker(&self, order: OrderId) {
        let (payment_id, amount, late) = self.world.capture(order).unwrap();
        let data = PaymentSucceeded {
            payment_id,
            order_id: order,
            amount,
            captured_at: crate::world::long_ago(),
            late,
        };
        let context = event_bus::context("payment", &self.host.clock);
        let event = Event::new(EventId::generate(), &context, 1, data);
        event_bus::enqueue(&mut self.db.pool.acquire().await.unwrap(), &event)
            .await
            .unwrap();
    }

    /// A cart of the stage's user with one mug of `stock`.
    pub(crate) fn mugs(&self, stock: i64, quantity: u32) -> CartId {
        let mug = self.world.variant(stock);
        self.world.cart(Some(self.user), &[(mug, quantity)])
    }

    pub(crate) fn request(&self, cart_id: CartId, method: &str, key: &str) -> CreateOrder {
        CreateOrder {
            cart_id,
            cart_version: None,
            expected_total: None,
            payment_method: method.to_owned(),
            user: self.user,
            key: key.to_owned(),
        }
    }

    /// Places an order of one mug.
    pub(crate) async fn place(&self, method: &str) -> OrderId {
        let request = self.request(self.mugs(5, 1), method, &EventId::generate().to_string());
        match self.app.create_order(request).await.unwrap() {
            Created::Order(order) => order,
            other => panic!("{other:?}"),
        }
    }

    /// An order that came to `state`, with the next call not yet made.
    pub(crate) async fn at(&self, state: State) -> OrderId {
        let order = self.place("pm_card_visa").await;
        let calls = match state {
            State::Reserving => 0,
            State::Paying => 1,
            _ => 2,
        };
        for _ in 0..calls {
            self.app.step().await;
        }
        if matches!(state, State::Confirming | State::Paid) {
            self.capture(order).await;
        }
        if state == State::Paid {
            self.app.step().await;
        }
        if matches!(state, State::Cancelling | State::Cancelled) {
            self.cancel(order).await;
        }
        if state == State::Cancelled {
            self.run().await;
        }
        assert_eq!(self.order(order).await.state, state);
        order
    }

    pub(crate) async fn cancel(&self, order: OrderId) -> order::Asked {
        let key = order::Key {
            principal: self.user.to_string(),
            key: EventId::generate().to_string(),
        };
        let by = contracts::order::CancelReason::Customer;
        self.app.cancel_order(order, by, &key).await.unwrap()
    }

    /// Makes all calls there are to make, until nothing is due; retries don't wait for their backoff.
    pub(crate) async fn run(&self) {
        for _ in 0..60 {
            if self.app.step().await == 0 && self.make_due().await == 0 {
                return;
            }
        }
        panic!("the sagas never come to rest");
    }

    /// Ends the waits of backoffs. A refund that was accepted is not asked for again.
    pub(crate) async fn make_due(&self) -> u64 {
        let due = sqlx::query(
            "UPDATE saga SET next_run_at = now() - interval '1 second'
             WHERE lease_until IS NULL AND next_run_at IS NOT NULL AND (step <> 'refund' OR refund_asked IS NOT TRUE)",
        );
        due.execute(&self.db.pool).await.unwrap().rows_affected()
    }

    /// Ends all leases, as time would.
    pub(crate) async fn end_leases(&self) {
        let end = "UPDATE saga SET lease_until = now() - interval '1 second', next_run_at = now() - interval '1 second'
                   WHERE lease_until IS NOT NULL";
        sqlx::query(end).execute(&self.db.pool).await.unwrap();
    }

    pub(crate) async fn order(&self, order: OrderId) -> Order {
        self.app.order(order).await.unwrap().unwrap()
    }

    pub(crate) async fn steps(&self, order: OrderId) -> Vec<OrderStep> {
        let timeline = self
            .app
            .timelines(&[order])
            .await
            .unwrap()
            .remove(&order)
            .unwrap();
        for (event, sequence) in timeline.iter().zip(1..) {
            assert_eq!(event.sequence, sequence);
        }
        timeline.iter().map(|event| event.step).collect()
    }

    /// Delivers an event as the broker would, and applies it.
    pub(crate) async fn deliver<T: EventData>(&self, data: T) {
        self.deliver_as(EventId::generate(), data).await;
    }

    pub(crate) async fn deliver_as<T: EventData>(&self, id: EventId, data: T) {
        let (spec, source) = if T::EXCHANGE == contracts::payment::EXCHANGE {
            (PAYMENT_EVENTS, Source::Payment)
        } else {
            (INVENTORY_EVENTS, Source::Inventory)
        };
        let context = event_bus::context("payment", &self.host.clock);
        let event = Event::new(id, &context, 1, data);
        store(&self.db.pool, spec.queue, &event).await;
        let door = Arc::new(Door::new(self.app.clone(), source));
        InboxWorker::new(self.db.pool.clone(), spec.queue, door)
            .step()
            .await;
    }

    /// The provider takes the money, and payment tells.
    pub(crate) async fn capture(&self, order: OrderId) {
        let (payment_id, amount, late) = self.world.capture(order).unwrap();
        self.deliver(PaymentSucceeded {
            payment_id,
            order_id: order,
            amount,
            captured_at: crate::world::long_ago(),
            late,
        })
        .await;
    }

    pub(crate) async fn decline(&self, order: OrderId) {
        let payment_id = {
            let mut books = self.world.books();
            let payment = books.payments.get_mut(&order).unwrap();
            payment.state = contracts::payment::PaymentState::Failed;
            payment.id
        };
        self.deliver(PaymentFailed {
            payment_id,
            order_id: order,
            decline_code: "insufficient_funds".to_owned(),
        })
        .await;
    }

    pub(crate) async fn expire(&self, order: OrderId) {
        self.world.expire(order);
        self.deliver(ReservationExpired {
            order_id: order,
            expired_at: crate::world::long_ago(),
        })
        .await;
    }

    /// Payment tells that its refunds of this order are through.
    pub(crate) async fn refunded(&self, order: OrderId) {
        let told: Vec<_> = {
            let books = self.world.books();
            let payment = &books.payments[&order];
            let of_order = books.refunds.iter().filter(|((of, _), _)| *of == order);
            of_order
                .map(|((_, reason), refund_id)| RefundCompleted {
                    refund_id: *refund_id,
                    payment_id: payment.id,
                    order_id: order,
                    amount: payment.amount,
                    reason: reason.clone(),
                    fully_refunded: true,
                })
                .collect()
        };
        assert_eq!(told.len(), 1, "refunded once");
        for data in told {
            self.deliver(data).await;
        }
    }

    /// What must hold of an order at rest, seen from both sides.
    pub(crate) async fn audit(&self, order: OrderId) {
        use contracts::inventory::ReservationState as Hold;
        use contracts::payment::PaymentState as Paid;
        let shown = self.order(order).await;
        let hold = self.world.books().holds.get(&order).map(|hold| hold.0);
        let payment = self
            .world
            .books()
            .payments
            .get(&order)
            .map(|payment| payment.state);
        match shown.status() {
            OrderStatus::Paid => assert_eq!((hold, payment), (Some(Hold::Confirmed), Some(Paid::Captured))),
            OrderStatus::Cancelled => {
                assert!(
                    matches!(hold, None | Some(Hold::Released | Hold::Expired)),
                    "{hold:?}"
                );
                assert!(
                    matches!(payment, None | Some(Paid::Failed | Paid::Voided)),
                    "{payment:?}"
                );
            }
            OrderStatus::Refunded => {
                assert_eq!(payment, Some(Paid::Refunded));
                assert!(!matches!(hold, Some(Hold::Held)), "{hold:?}");
            }
            other => panic!("{order} is at {other:?}"),
        }
        let restless: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM saga LEFT JOIN saga_step USING (order_id) WHERE order_id = $1
             AND (saga.step IS NOT NULL OR lease_until IS NOT NULL OR needs_attention OR ended_at IS NULL AND started_at IS NOT NULL)",
        )
        .bind(order.uuid())
        .fetch_one(&self.db.pool)
        .await
        .unwrap();
        assert_eq!(restless, 0, "a saga at rest has no call, lease or open step");
        let path: Vec<(Option<String>, String)> = sqlx::query_as(
            "SELECT from_status, to_status FROM order_history WHERE order_id = $1 ORDER BY version",
        )
        .bind(order.uuid())
        .fetch_all(&self.db.pool)
        .await
        .unwrap();
        let mut at: Option<State> = None;
        for (from, to) in path {
            assert_eq!(from.map(|from| from.parse().unwrap()), at);
            let to: State = to.parse().unwrap();
            assert!(at.is_none_or(|from| from.may_become(to)));
            at = Some(to);
        }
        let told: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE aggregate_id = $1 AND routing_key = 'order.status_changed.v1'",
        )
        .bind(order.to_string())
        .fetch_one(&self.db.pool)
        .await
        .unwrap();
        assert_eq!(told, shown.version, "every step is published");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.host.shutdown.cancel();
    }
}

fn replica(
    pool: &PgPool,
    services: &TestServer,
    identity: &Identity,
    host: &Host,
    bus: &Bus,
    relay: RelayHandle,
) -> App {
    let base = services.base.clone();
    let at = Addresses {
        cart: base.clone(),
        product: base.clone(),
        inventory: base.clone(),
        payment: base,
    };
    let parts = Parts {
        requests: pool.clone(),
        workers: pool.clone(),
        clients: Clients::new(at, &identity.service_key("order")),
        relay,
        steps: bus.tap(contracts::order::EXCHANGE, "order.status_changed.v1"),
        policy: Policy::default(),
    };
    App::new(parts, host)
}

async fn store<T: EventData>(pool: &PgPool, queue: &str, event: &Event<T>) {
    sqlx::query(
        "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(queue)
    .bind(event.id.uuid())
    .bind(&event.kind)
    .bind(&event.subject)
    .bind(serde_json::to_value(event).unwrap())
    .execute(pool)
    .await
    .unwrap();
}
