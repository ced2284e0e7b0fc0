//! Order's database with one stuck order in it.

use contracts::OrderId;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use test_kit::TestDb;

static ORDER: Migrator = sqlx::migrate!("../../subgraphs/order/migrations");

pub(crate) const STUCK: &str = "00000000-0000-7000-8000-000000000001";
pub(crate) const QUEUE: &str = "order.payment-events";

pub(crate) fn id() -> OrderId {
    OrderId::from_uuid(STUCK.parse().unwrap())
}

pub(crate) async fn run(db: &TestDb, sql: impl Into<String>) {
    let sql: String = sql.into();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&db.pool).await.unwrap();
}

/// An order whose stock is asked for without an answer, with a dead event.
pub(crate) async fn stuck() -> TestDb {
    let db = test_kit::postgres(&ORDER).await;
    let named = id();
    run(
        &db,
        format!(
            "INSERT INTO orders (id, number, user_id, status, public_status, version, currency, total_minor, payment_method, created_at)
             VALUES ('{STUCK}', 100012, '{STUCK}', 'RESERVING', 'PENDING', 2, 'EUR', 1000, 'pm', now() - interval '90 s');
             INSERT INTO saga (order_id, version, step, attempt, payment, stock, next_run_at, deadline_at, attention, last_error, correlation_id)
             VALUES ('{STUCK}', 9, 'reserve', 8, 'NOT_STARTED', 'ASKED', now() + interval '20 s', now() + interval '8 minutes',
                     'RETRIES', 'inventory: connection refused', 'corr-7');
             INSERT INTO saga_step (order_id, step, kind, status, attempts, started_at)
             VALUES ('{STUCK}', 'reserve', 'fwd', 'STARTED', 8, now());
             INSERT INTO saga_timer (order_id, kind, fire_at) VALUES ('{STUCK}', 'deadline', now() + interval '8 minutes');
             INSERT INTO order_history VALUES
                 ('{STUCK}', 1, NULL, 'CREATED', 'CREATED', 'PENDING', 'placed', now()),
                 ('{STUCK}', 2, 'CREATED', 'RESERVING', 'RESERVING_STOCK', 'PENDING', 'started', now());
             INSERT INTO outbox (id, aggregate_id, aggregate_version, exchange, routing_key, mandatory, headers, payload)
             VALUES (gen_random_uuid(), '{named}', 2, 'order.events', 'order.status_changed.v1', false, '{{}}', '{{}}');
             INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload, status, attempts, last_error)
             VALUES ('{QUEUE}', '00000000-0000-7000-8000-0000000000e1', 'payment.succeeded.v9', '{named}', '{{}}', 'DEAD', 1, 'unknown version'),
                    ('{QUEUE}', '00000000-0000-7000-8000-0000000000e2', 'payment.failed.v1', '{named}', '{{}}', 'DEAD', 25, 'boom');"
        ),
    )
    .await;
    db
}
