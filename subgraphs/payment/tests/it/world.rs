//! A payment service with its database and its provider.

use std::time::Duration;

use axum::Router;
use contracts::payment::{StartPayment, StartRefund};
use contracts::{Currency, Money, OrderId, UserId};
use event_bus::RelayHandle;
use http::{Method, StatusCode};
use payment::clients::stripe::{Stripe, StripeConfig};
use payment::{App, Pools, Settings};
use psp_sandbox::Sandbox;
use serde_json::{Value, json};
use service_kit::{Clock, Host, Secret};
use test_kit::{Identity, TestDb, TestServer};

pub(crate) const WEBHOOK_SECRET: &str = "whsec_test";
pub(crate) const PSP_KEY: &str = "sk_test_payment";
pub(crate) const TOTAL: Money = Money::new(1999, Currency::USD);

/// How the provider is set up.
#[derive(Default)]
pub(crate) struct Setup {
    /// Whether it delivers webhooks.
    pub(crate) webhooks: bool,
    pub(crate) relay: RelayHandle,
}

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) stripe: Stripe,
    pub(crate) identity: Identity,
    pub(crate) internal: Router,
    pub(crate) public: TestServer,
    pub(crate) host: Host,
    http: reqwest::Client,
    psp: TestServer,
    pub(crate) db: TestDb,
    _folder: tempfile::TempDir,
}

impl World {
    /// A provider that delivers no webhooks: what happens, happens in the test's own steps.
    pub(crate) async fn quiet() -> Self {
        Self::start(Setup::default()).await
    }

    pub(crate) async fn with_webhooks() -> Self {
        Self::start(Setup {
            webhooks: true,
            ..Setup::default()
        })
        .await
    }

    pub(crate) async fn start(setup: Setup) -> Self {
        let db = test_kit::postgres(&payment::MIGRATOR).await;
        Self::start_on(db, setup).await
    }

    pub(crate) async fn start_on(db: TestDb, setup: Setup) -> Self {
        let host = Host::for_test("payment");
        let folder = tempfile::tempdir().unwrap();
        let settings = psp_sandbox::Settings {
            slow_ms: 20,
            late_ms: 20,
            hang_ms: 60_000,
            ..psp_sandbox::Settings::default()
        };
        let sandbox = Sandbox::open(folder.path(), settings, Clock::system()).unwrap();
        let routes = psp_sandbox::router(sandbox.clone(), Secret::new(PSP_KEY), host.shutdown.clone());
        let psp = TestServer::serve(routes).await;
        let stripe = Stripe::new(StripeConfig {
            base: psp.base.clone(),
            key: Secret::new(PSP_KEY),
            timeout: Duration::from_millis(500),
        });
        let pools = Pools {
            requests: db.pool.clone(),
            workers: db.pool.clone(),
        };
        let settings = Settings {
            webhook_secret: Secret::new(WEBHOOK_SECRET),
            patience: Duration::from_secs(5),
        };
        let app = App::new(pools, stripe.clone(), setup.relay, settings, &host);
        let identity = Identity::new();
        let internal = payment::rest::internal(app.clone(), &identity.service_verifier("payment"));
        let public = TestServer::serve(payment::rest::public(app.clone())).await;
        let endpoint = setup.webhooks.then(|| psp_sandbox::Endpoint {
            url: public.url("webhooks/stripe"),
            secret: Secret::new(WEBHOOK_SECRET),
        });
        // It also lets payments that are due succeed, so it runs without webhooks too.
        tokio::spawn(psp_sandbox::webhook::run(
            sandbox,
            endpoint,
            host.shutdown.clone(),
        ));
        let http = service_kit::http::client(Duration::from_secs(5));
        Self {
            app,
            stripe,
            identity,
            internal,
            public,
            host,
            http,
            psp,
            db,
            _folder: folder,
        }
    }

    /// Calls an internal route as order.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let token = self.identity.service_token("order", "payment");
        test_kit::rest(&self.internal, &token, method, path, body).await
    }

    pub(crate) async fn pay(&self, order: OrderId, method: &str) -> (StatusCode, Value) {
        self.pay_terms(order, &terms(method)).await
    }

    pub(crate) async fn pay_terms(&self, order: OrderId, terms: &StartPayment) -> (StatusCode, Value) {
        self.call(Method::PUT, &format!("/payments/{order}"), Some(json!(terms)))
            .await
    }

    pub(crate) async fn show(&self, order: OrderId) -> (StatusCode, Value) {
        self.call(Method::GET, &format!("/payments/{order}"), None).await
    }

    pub(crate) async fn status(&self, order: OrderId) -> String {
        self.show(order).await.1["status"]
            .as_str()
            .unwrap_or("NONE")
            .to_owned()
    }

    pub(crate) async fn void(&self, order: OrderId) -> (StatusCode, Value) {
        self.call(Method::POST, &format!("/payments/{order}/void"), None)
            .await
    }

    pub(crate) async fn refund(
        &self,
        order: OrderId,
        reason: &str,
        minor: Option<i64>,
    ) -> (StatusCode, Value) {
        let amount = minor.map(|minor| Money::new(minor, TOTAL.currency));
        let path = format!("/payments/{order}/refunds/{reason}");
        self.call(Method::POST, &path, Some(json!(StartRefund { amount })))
            .await
    }

    /// Where the provider is.
    pub(crate) const fn psp_url(&self) -> &url::Url {
        &self.psp.base
    }

    /// Changes the provider's settings.
    pub(crate) async fn psp(&self, patch: Value) {
        let request = self
            .http
            .patch(self.psp.url("_sandbox/settings"))
            .bearer_auth(PSP_KEY)
            .json(&patch);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// Asks the provider something.
    pub(crate) async fn psp_get(&self, path: &str) -> Value {
        let request = self.http.get(self.psp.url(path)).bearer_auth(PSP_KEY);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The provider lets a payment succeed, whatever came before.
    pub(crate) async fn psp_force(&self, order: OrderId) {
        let id = self.charges(order).await[0]["payment_intent"]
            .as_str()
            .unwrap()
            .to_owned();
        let url = self.psp.url(&format!("_sandbox/payment_intents/{id}/succeed"));
        assert_eq!(
            self.http
                .post(url)
                .bearer_auth(PSP_KEY)
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }

    /// The provider's intents of an order.
    pub(crate) async fn charges(&self, order: OrderId) -> Vec<Value> {
        let all = self.psp_get("_sandbox/charges").await;
        let of_order = |charge: &&Value| charge["order_id"] == order.to_string();
        all.as_array().unwrap().iter().filter(of_order).cloned().collect()
    }

    /// Makes all that waits due, and takes it up until nothing is left to do at once.
    pub(crate) async fn recover(&self) {
        for table in ["payment", "refund"] {
            let sql = format!("UPDATE {table} SET next_check_at = now() WHERE next_check_at IS NOT NULL");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&self.db.pool)
                .await
                .unwrap();
        }
        while self.app.recover_once().await.unwrap() > 0 {}
    }

    /// What waits in the outbox for an order: routing key and data, oldest first.
    pub(crate) async fn events(&self, order: OrderId) -> Vec<(String, Value)> {
        let sql =
            "SELECT routing_key, payload FROM outbox WHERE aggregate_id = $1 ORDER BY aggregate_version";
        let rows: Vec<(String, Value)> = sqlx::query_as(sql)
            .bind(order.to_string())
            .fetch_all(&self.db.pool)
            .await
            .unwrap();
        rows.into_iter()
            .map(|(key, payload)| (key, payload["data"].clone()))
            .collect()
    }

    pub(crate) async fn event_kinds(&self, order: OrderId) -> Vec<String> {
        self.events(order)
            .await
            .into_iter()
            .map(|(kind, _)| kind)
            .collect()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap()
    }

    /// What the ledger says the provider holds for us, having checked that it balances.
    pub(crate) async fn held_minor(&self) -> i64 {
        let unbalanced = "SELECT count(*) FROM (SELECT txn_id FROM ledger_entry GROUP BY txn_id, currency
                          HAVING sum(amount_minor) <> 0 OR count(*) <> 2) AS txn";
        assert_eq!(self.count(unbalanced).await, 0);
        self.count(
            "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entry WHERE account = 'provider'",
        )
        .await
    }

    /// Posts a webhook as the provider would, signed now.
    pub(crate) async fn deliver(&self, event: &Value) -> StatusCode {
        let body = event.to_string();
        let signature =
            psp_sandbox::webhook::signature(WEBHOOK_SECRET, Clock::system().now(), body.as_bytes());
        self.deliver_signed(body, Some(&signature)).await
    }

    pub(crate) async fn deliver_signed(&self, body: String, signature: Option<&str>) -> StatusCode {
        let mut request = self.http.post(self.public.url("webhooks/stripe")).body(body);
        if let Some(signature) = signature {
            request = request.header("stripe-signature", signature);
        }
        request.send().await.unwrap().status()
    }

    /// Waits for something that the provider brings about.
    pub(crate) async fn until_status(&self, order: OrderId, status: &str) {
        let reached = async {
            while self.status(order).await != status {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), reached).await;
        assert!(
            came.is_ok(),
            "is {} instead of {status}",
            self.status(order).await
        );
    }

    /// Waits until the provider got rid of all webhooks.
    pub(crate) async fn until_delivered(&self) {
        let delivered = async {
            while self.psp_get("_sandbox/totals").await["webhooks_pending"] != 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(10), delivered)
                .await
                .is_ok(),
            "webhooks are stuck"
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.host.shutdown.cancel();
    }
}

pub(crate) fn buyer() -> UserId {
    UserId::from_uuid(
        contracts::PaymentId::from_uuid("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()).uuid(),
    )
}

pub(crate) fn terms(method: &str) -> StartPayment {
    StartPayment {
        user_id: buyer(),
        amount: TOTAL,
        method: method.to_owned(),
    }
}
