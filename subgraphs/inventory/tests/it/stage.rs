//! One inventory over a fresh database, with the actors that call it.

use axum::Router;
use axum::http::{Method, StatusCode};
use contracts::{OrderId, UserId};
use graphql_kit::HttpConfig;
use inventory::{App, MIGRATOR, Sweeper};
use serde_json::{Value, json};
use service_auth::Role;
use service_kit::Clock;
use sqlx::PgPool;
use test_kit::{GATEWAY_KEY, Identity, TestDb};

pub(crate) struct Stage {
    pub(crate) db: TestDb,
    pub(crate) identity: Identity,
    pub(crate) rest: Router,
    pub(crate) graphql: Router,
    pub(crate) sweeper: Sweeper,
    order_token: String,
    admin: String,
}

fn http(identity: &Identity) -> HttpConfig {
    HttpConfig::new(GATEWAY_KEY.parse().unwrap(), identity.verifier(), false)
}

/// Where the units of a SKU are: (received, available, reserved, sold).
pub(crate) type Level = (i32, i32, i32, i32);

impl Stage {
    pub(crate) async fn new() -> Self {
        let db = test_kit::postgres(&MIGRATOR).await;
        let identity = Identity::new();
        let app = App::new(db.pool.clone(), db.pool.clone(), Clock::system(), 5);
        Self {
            rest: app.rest(&identity.service_verifier("inventory")),
            graphql: app.graphql(http(&identity)),
            sweeper: Sweeper::new(app),
            order_token: identity.service_token("order", "inventory"),
            admin: identity.user_token(UserId::generate(), &[Role::Admin]),
            identity,
            db,
        }
    }

    /// The graph over another pool of the same database.
    pub(crate) fn graphql_over(&self, pool: &PgPool) -> Router {
        App::new(pool.clone(), pool.clone(), Clock::system(), 5).graphql(http(&self.identity))
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        test_kit::rest(&self.rest, &self.order_token, method, path, body).await
    }

    pub(crate) async fn reserve(&self, order: OrderId, lines: &[(&str, u32)]) -> (StatusCode, Value) {
        let lines: Vec<_> = lines
            .iter()
            .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
            .collect();
        let body = json!({"lines": lines, "ttl_s": 600});
        self.call(Method::PUT, &format!("/reservations/{order}"), Some(body))
            .await
    }

    pub(crate) async fn confirm(&self, order: OrderId) -> (StatusCode, Value) {
        self.call(Method::POST, &format!("/reservations/{order}/confirm"), None)
            .await
    }

    pub(crate) async fn restock(&self, order: OrderId) -> (StatusCode, Value) {
        self.call(Method::POST, &format!("/reservations/{order}/restock"), None)
            .await
    }

    /// A return of an order's sold units.
    pub(crate) async fn give_back(
        &self,
        order: OrderId,
        number: i32,
        lines: &[(&str, u32)],
    ) -> (StatusCode, Value) {
        let lines: Vec<_> = lines
            .iter()
            .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
            .collect();
        let path = format!("/reservations/{order}/returns/{number}");
        self.call(Method::PUT, &path, Some(json!({ "lines": lines })))
            .await
    }

    pub(crate) async fn release(&self, order: OrderId) -> (StatusCode, Value) {
        self.call(Method::DELETE, &format!("/reservations/{order}"), None)
            .await
    }

    pub(crate) async fn get(&self, order: OrderId) -> (StatusCode, Value) {
        self.call(Method::GET, &format!("/reservations/{order}"), None)
            .await
    }

    pub(crate) async fn as_admin(&self, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.graphql, Some(&self.admin), query, variables).await
    }

    pub(crate) async fn receive(&self, sku: &str, units: i32) {
        let mutation =
            "mutation($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
        let input = json!({"sku": sku, "delta": units, "reason": "delivery", "idempotencyKey": format!("receive-{sku}")});
        let answer = self.as_admin(mutation, json!({"input": input})).await;
        assert_eq!(answer["data"]["adjustStock"]["userErrors"], json!([]), "{answer}");
    }

    pub(crate) async fn level(&self, sku: &str) -> Level {
        sqlx::query_as("SELECT received, available, reserved, sold FROM stock WHERE sku = $1")
            .bind(sku)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    /// Makes the time of an order's hold run out.
    pub(crate) async fn let_time_pass(&self, order: OrderId) {
        let sql =
            "UPDATE reservation_head SET expires_at = clock_timestamp() - interval '1 s' WHERE order_id = $1";
        sqlx::query(sql)
            .bind(order.uuid())
            .execute(self.pool())
            .await
            .unwrap();
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.unwrap()
    }

    /// The counters are what the reservations say, and both are what the ledger says.
    pub(crate) async fn audit(&self) {
        let wrong: Vec<String> = sqlx::query_scalar(
            "WITH line AS (
                 SELECT sku, coalesce(sum(qty) FILTER (WHERE state = 'HELD'), 0) AS held,
                        coalesce(sum(qty - returned) FILTER (WHERE state = 'CONFIRMED'), 0) AS sold
                 FROM reservation GROUP BY sku
             ), entry AS (
                 SELECT sku, coalesce(sum(quantity) FILTER (WHERE kind IN ('RECEIVE', 'ADJUST')), 0) AS received,
                        coalesce(sum(CASE kind WHEN 'HOLD' THEN quantity WHEN 'CONFIRM' THEN -quantity
                            WHEN 'RELEASE' THEN -quantity WHEN 'EXPIRE' THEN -quantity END), 0) AS held,
                        coalesce(sum(CASE WHEN kind = 'CONFIRM' THEN quantity WHEN kind IN ('RESTOCK', 'RETURN') THEN -quantity END), 0) AS sold
                 FROM stock_ledger GROUP BY sku
             )
             SELECT stock.sku FROM stock LEFT JOIN line USING (sku) LEFT JOIN entry USING (sku)
             WHERE (stock.reserved, stock.sold) IS DISTINCT FROM (coalesce(line.held, 0), coalesce(line.sold, 0))
                OR (stock.received, stock.reserved, stock.sold)
                   IS DISTINCT FROM (coalesce(entry.received, 0), coalesce(entry.held, 0), coalesce(entry.sold, 0))",
        )
        .fetch_all(self.pool())
        .await
        .unwrap();
        assert_eq!(wrong, Vec::<String>::new(), "SKUs whose books don't balance");
    }
}

/// A small generator of numbers, so that a failing run can be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
