//! Three databases with the real migrations, and three orders in them: paid, cancelled, refunded.

use auditor::{Books, Expectations, Report, audit};
use contracts::OrderId;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgPool};
use test_kit::TestDb;
use uuid::Uuid;

static ORDER: Migrator = sqlx::migrate!("../../subgraphs/order/migrations");
static INVENTORY: Migrator = sqlx::migrate!("../../subgraphs/inventory/migrations");
static PAYMENT: Migrator = sqlx::migrate!("../../subgraphs/payment/migrations");

pub(crate) const PAID: &str = "00000000-0000-7000-8000-000000000001";
pub(crate) const CANCELLED: &str = "00000000-0000-7000-8000-000000000002";
pub(crate) const REFUNDED: &str = "00000000-0000-7000-8000-000000000003";

/// The databases of a test.
pub(crate) struct World {
    pub(crate) order: TestDb,
    pub(crate) inventory: TestDb,
    pub(crate) payment: TestDb,
    pub(crate) expected: Expectations,
}

pub(crate) fn id(text: &str) -> OrderId {
    OrderId::from_uuid(text.parse::<Uuid>().unwrap())
}

pub(crate) async fn run(db: &TestDb, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&db.pool)
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self {
            order: test_kit::postgres(&ORDER).await,
            inventory: test_kit::postgres(&INVENTORY).await,
            payment: test_kit::postgres(&PAYMENT).await,
            expected: Expectations {
                margin_s: 120.0,
                ..Expectations::default()
            },
        };
        run(&world.inventory, INVENTORY_ROWS).await;
        run(&world.payment, PAYMENT_ROWS).await;
        for (order, status, steps) in [
            (
                PAID,
                "PAID",
                "RESERVING RESERVED PAYING PAYMENT_PENDING CONFIRMING PAID",
            ),
            (
                CANCELLED,
                "CANCELLED",
                "RESERVING RESERVED PAYING CANCELLING CANCELLED",
            ),
            (
                REFUNDED,
                "REFUNDED",
                "RESERVING RESERVED PAYING CANCELLING CANCELLED REFUNDING REFUNDED",
            ),
        ] {
            world.place(order, status, steps).await;
        }
        world.deliver().await;
        world
    }

    async fn place(&self, order: &str, status: &str, steps: &str) {
        let units = if order == PAID { 2 } else { 1 };
        let steps: Vec<_> = steps.split(' ').collect();
        let version = steps.len() + 1;
        let total = units * 500;
        let named = id(order);
        let sql = format!(
            "INSERT INTO orders (id, user_id, status, public_status, version, currency, total_minor, payment_method, created_at, terminal_at)
             VALUES ('{order}', '{order}', '{status}', '{status}', {version}, 'EUR', {total}, 'pm', now(), now());
             INSERT INTO order_line (order_id, line_no, variant_id, product_id, sku, name, unit_price_minor, quantity)
             VALUES ('{order}', 1, '{order}', '{order}', 'TEA', 'Tea', 500, {units});
             INSERT INTO saga (order_id, version, attempt, payment, stock, deadline_at)
             VALUES ('{order}', 9, 0, 'CAPTURED', 'CONFIRMED', now() + interval '10 minutes');
             INSERT INTO saga_step (order_id, step, kind, status, attempts, started_at, ended_at)
             VALUES ('{order}', 'reserve', 'fwd', 'OK', 1, now(), now());
             INSERT INTO idempotency_key (principal, operation, key, request_hash, response)
             VALUES ('usr', 'createOrder', 'key-{order}', decode(repeat('00', 32), 'hex'), '\"{named}\"');
             INSERT INTO order_history VALUES ('{order}', 1, NULL, 'CREATED', 'CREATED', 'PENDING', 'test', now());"
        );
        run(&self.order, &sql).await;
        let mut from = "CREATED";
        for (index, to) in steps.iter().enumerate() {
            let version = index + 2;
            let step = format!(
                "INSERT INTO order_history VALUES ('{order}', {version}, '{from}', '{to}', 'PAID', 'PENDING', 'test', now())"
            );
            run(&self.order, &step).await;
            from = to;
        }
        let announced = format!(
            "INSERT INTO outbox (id, aggregate_id, aggregate_version, exchange, routing_key, mandatory, headers, payload, published_at)
             SELECT gen_random_uuid(), '{named}', version, 'order.events', 'order.status_changed.v1', false, '{{}}', '{{}}', now()
             FROM order_history WHERE order_id = '{order}'"
        );
        run(&self.order, &announced).await;
    }

    /// Puts payment's events into order's inbox.
    async fn deliver(&self) {
        let sent: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM outbox")
            .fetch_all(&self.payment.pool)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload, status, attempts, done_at)
             SELECT 'order.payment-events', id, 'payment.succeeded.v1', 'x', '{}', 'DONE', 1, now() FROM unnest($1::uuid[]) AS id",
        )
        .bind(&sent)
        .execute(&self.order.pool)
        .await
        .unwrap();
    }

    pub(crate) async fn audit(&self) -> Report {
        let pool = |db: &TestDb| -> PgPool { db.pool.clone() };
        let books = Books {
            order: pool(&self.order),
            inventory: pool(&self.inventory),
            payment: pool(&self.payment),
        };
        audit(&books, &self.expected).await.unwrap()
    }
}

const INVENTORY_ROWS: &str = "
    INSERT INTO stock (sku, received, available, reserved, sold) VALUES ('TEA', 10, 8, 0, 2);
    INSERT INTO stock_ledger (sku, kind, quantity) VALUES ('TEA', 'RECEIVE', 10);
    INSERT INTO reservation_head (order_id, state, request_hash) VALUES
        ('00000000-0000-7000-8000-000000000001', 'CONFIRMED', '\\x00'),
        ('00000000-0000-7000-8000-000000000002', 'RELEASED', '\\x00'),
        ('00000000-0000-7000-8000-000000000003', 'RELEASED', '\\x00');
    INSERT INTO reservation (order_id, sku, qty, state, expires_at) VALUES
        ('00000000-0000-7000-8000-000000000001', 'TEA', 2, 'CONFIRMED', now()),
        ('00000000-0000-7000-8000-000000000002', 'TEA', 1, 'RELEASED', now()),
        ('00000000-0000-7000-8000-000000000003', 'TEA', 1, 'RELEASED', now());
    INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt) VALUES
        ('TEA', 'HOLD', 2, '00000000-0000-7000-8000-000000000001', 1),
        ('TEA', 'CONFIRM', 2, '00000000-0000-7000-8000-000000000001', 1),
        ('TEA', 'HOLD', 1, '00000000-0000-7000-8000-000000000002', 1),
        ('TEA', 'RELEASE', 1, '00000000-0000-7000-8000-000000000002', 1),
        ('TEA', 'HOLD', 1, '00000000-0000-7000-8000-000000000003', 1),
        ('TEA', 'RELEASE', 1, '00000000-0000-7000-8000-000000000003', 1);";

const PAYMENT_ROWS: &str = "
    INSERT INTO payment (id, order_id, user_id, amount_minor, currency, method, status, captured_at, refunded_minor, version, created_at)
    SELECT order_id, order_id, order_id, amount, 'EUR', 'pm', status, captured, refunded, 1, now() FROM (VALUES
        ('00000000-0000-7000-8000-000000000001'::uuid, 1000, 'CAPTURED', now(), 0),
        ('00000000-0000-7000-8000-000000000002'::uuid, 500, 'VOIDED', NULL, 0),
        ('00000000-0000-7000-8000-000000000003'::uuid, 500, 'REFUNDED', now(), 500)) AS p (order_id, amount, status, captured, refunded);
    INSERT INTO refund (id, payment_id, reason, amount_minor, currency, status, created_at, ended_at) VALUES
        ('00000000-0000-7000-8000-0000000000f3', '00000000-0000-7000-8000-000000000003', 'late_payment', 500, 'EUR', 'SUCCEEDED', now(), now());
    INSERT INTO ledger_entry (txn_id, account, kind, payment_id, amount_minor, currency, booked_at)
    SELECT txn::uuid, account, kind, payment::uuid, amount, 'EUR', now() FROM (VALUES
        ('00000000-0000-7000-8000-000000000001', 'provider', 'CAPTURE', '00000000-0000-7000-8000-000000000001', 1000),
        ('00000000-0000-7000-8000-000000000001', 'orders', 'CAPTURE', '00000000-0000-7000-8000-000000000001', -1000),
        ('00000000-0000-7000-8000-000000000003', 'provider', 'CAPTURE', '00000000-0000-7000-8000-000000000003', 500),
        ('00000000-0000-7000-8000-000000000003', 'orders', 'CAPTURE', '00000000-0000-7000-8000-000000000003', -500),
        ('00000000-0000-7000-8000-0000000000f3', 'provider', 'REFUND', '00000000-0000-7000-8000-000000000003', -500),
        ('00000000-0000-7000-8000-0000000000f3', 'orders', 'REFUND', '00000000-0000-7000-8000-000000000003', 500)) AS e (txn, account, kind, payment, amount);
    INSERT INTO outbox (id, aggregate_id, aggregate_version, exchange, routing_key, headers, payload, published_at)
    VALUES (gen_random_uuid(), 'ord_1', 1, 'payment.events', 'payment.succeeded.v1', '{}', '{}', now()),
           (gen_random_uuid(), 'ord_3', 1, 'payment.events', 'payment.succeeded.v1', '{}', '{}', now());";
