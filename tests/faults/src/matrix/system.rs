//! A running system without a router, and its doors: the graph of each service, the databases, the provider.
//!
//! Owns how to reach things. Must not know what is broken, nor what is expected.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use auditor::{Addresses, Books};
use contracts::OrderId;
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, SANDBOX, Settings, Stack};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

/// Services that know crash points, with their replicas.
pub(crate) const VICTIMS: [&str; 4] = ["order", "order-2", "payment", "inventory"];
/// From the placing of an order to giving it up unpaid. Longer than an outbox row stays with a relay that died.
pub(crate) const DEADLINE_S: u32 = 40;
/// How long a saga belongs to a process that died.
pub(crate) const LEASE: Duration = Duration::from_secs(4);
/// How much longer a reservation lives.
pub(crate) const MARGIN_S: u32 = 15;
/// A frozen service is given up after this, and asked again elsewhere.
const CALL_PATIENCE: Duration = Duration::from_secs(4);

/// A running system.
pub(crate) struct System {
    pub(crate) stack: Stack,
    pub(crate) books: Books,
    /// The superuser's connection, for cutting other people's.
    pub(crate) postgres: PgPool,
    http: reqwest::Client,
    admin: String,
    customer: String,
    folder: tempfile::TempDir,
}

/// What is sold.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) id: String,
    pub(crate) sku: String,
    pub(crate) units: i64,
}

/// A key no one has used.
pub(crate) fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}

/// Runs something that blocks, such as starting a process, without holding up the tasks.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

impl System {
    /// Starts everything from the programs in `binaries`, with these bugs on.
    pub(crate) async fn start(binaries: &Path, bugs: &str) -> Result<Self> {
        let folder = dev_stack::servers::scratch_folder()?;
        let mut settings = Settings::for_tests(folder.path().join("system"), binaries.to_owned());
        settings.order_replicas = 2;
        std::fs::create_dir_all(folder.path().join("evidence"))?;
        let evidence = folder.path().join("evidence").display().to_string();
        for victim in VICTIMS {
            settings.extra(victim, "MERCATO_CRASH_EVIDENCE", &evidence);
            settings.extra(victim, "MERCATO_BUG", bugs);
        }
        for order in ["order", "order-2"] {
            settings.extra(order, "PAYMENT_DEADLINE_S", &DEADLINE_S.to_string());
            settings.extra(order, "RESERVATION_MARGIN_S", &MARGIN_S.to_string());
            settings.extra(order, "LEASE_S", &LEASE.as_secs().to_string());
        }
        settings.extra("inventory", "SWEEP_MS", "500");
        settings.extra("auth", "ACCESS_TOKEN_S", "3600");
        settings.extra(SANDBOX, "SLOW_MS", "2500");
        settings.extra(SANDBOX, "LATE_MS", "1000");
        let stack = blocking(|| Stack::start(&settings, &()))?;
        // Its turn comes in the rows that pause the first one.
        blocking(|| stack.stop("order-2"))?;
        let plan = stack.plan();
        let mut system = Self {
            books: Books::connect(&Addresses {
                order: plan.database_url("order"),
                inventory: plan.database_url("inventory"),
                payment: plan.database_url("payment"),
            })
            .await?,
            postgres: PgPool::connect_lazy(&format!("{}/postgres", plan.stores.postgres))?,
            stack,
            http: service_kit::http::client(CALL_PATIENCE),
            admin: String::new(),
            customer: String::new(),
            folder,
        };
        system.admin = system
            .token(
                "login",
                json!({ "email": ADMIN_EMAIL, "password": ADMIN_PASSWORD }),
            )
            .await?;
        let someone =
            json!({ "email": "ada@example.com", "password": "correct horse battery", "displayName": "Ada" });
        system.customer = system.token("register", someone).await?;
        Ok(system)
    }

    /// Stops everything and, after a failure, keeps the logs.
    pub(crate) fn finish(self, keep_logs: Option<&Path>) -> Result<()> {
        blocking(|| self.stack.stop_all(&()));
        let Some(kept) = keep_logs else { return Ok(()) };
        std::fs::create_dir_all(kept)?;
        for entry in std::fs::read_dir(self.logs())? {
            let entry = entry?;
            std::fs::copy(entry.path(), kept.join(entry.file_name()))?;
        }
        Ok(())
    }

    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.path().join("system/logs")
    }

    async fn token(&self, operation: &str, input: Value) -> Result<String> {
        let name = if operation == "login" {
            "LoginInput"
        } else {
            "RegisterInput"
        };
        let query = format!(
            "mutation ($input: {name}!) {{ {operation}(input: $input) {{ session {{ accessToken }} userErrors {{ code }} }} }}"
        );
        let data = self.ask("auth", None, &query, json!({ "input": input })).await?;
        let token = data[operation]["session"]["accessToken"].as_str();
        token.map(str::to_owned).with_context(|| data.to_string())
    }

    /// Asks the graph of one service; faults are errors.
    async fn ask(&self, door: &str, token: Option<&str>, query: &str, variables: Value) -> Result<Value> {
        let plan = self.stack.plan();
        let url = format!("http://127.0.0.1:{}/graphql", plan.ports_of(door)?.graphql);
        let mut request = self
            .http
            .post(url)
            .header("x-gateway-key", &plan.gateway_key)
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let mut answer: Value = request.send().await?.json().await?;
        ensure!(answer.get("errors").is_none(), "{door}: {answer}");
        Ok(answer["data"].take())
    }

    /// A product of one variant with so many units, made for one row.
    pub(crate) async fn product(&self, units: i64) -> Result<Variant> {
        let slug = format!("t{}", Uuid::now_v7().simple());
        let sku = slug.to_uppercase();
        let admin = Some(self.admin.as_str());
        let product = json!({ "slug": slug, "title": "Test article", "description": "Made for a test", "categoryPath": ["Tests"],
            "variants": [{ "sku": sku, "title": "One", "price": { "amount": "12.50", "currencyCode": "USD" } }] });
        let query = "mutation ($input: ImportProductsInput!) { importProducts(input: $input) { userErrors { code message } } }";
        let data = self
            .ask(
                "product",
                admin,
                query,
                json!({ "input": { "products": [product] } }),
            )
            .await?;
        ensure!(data["importProducts"]["userErrors"] == json!([]), "{data}");
        let input = json!({ "sku": sku, "delta": units, "reason": "test", "idempotencyKey": fresh_key() });
        let query =
            "mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
        let data = self
            .ask("inventory", admin, query, json!({ "input": input }))
            .await?;
        ensure!(data["adjustStock"]["userErrors"] == json!([]), "{data}");
        let query = "query ($slug: String!) { product(slug: $slug) { variants { id } } }";
        let data = self.ask("product", admin, query, json!({ "slug": slug })).await?;
        let id = data["product"]["variants"][0]["id"]
            .as_str()
            .context(data.to_string())?;
        Ok(Variant {
            id: id.to_owned(),
            sku,
            units,
        })
    }

    /// A cart with one unit.
    pub(crate) async fn cart(&self, variant: &Variant, key: &str) -> Result<String> {
        let input = json!({ "currencyCode": "USD", "idempotencyKey": key,
            "lines": [{ "variantId": variant.id, "quantity": 1 }] });
        let query = "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id } userErrors { code } } }";
        let data = self
            .ask("cart", Some(&self.customer), query, json!({ "input": input }))
            .await?;
        let id = data["createCart"]["cart"]["id"].as_str();
        id.map(str::to_owned).with_context(|| data.to_string())
    }

    pub(crate) async fn create_order(
        &self,
        door: &str,
        cart: &str,
        method: &str,
        key: &str,
    ) -> Result<OrderId> {
        let input = json!({ "cartId": cart, "paymentMethod": method, "idempotencyKey": key });
        let query = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } userErrors { code message } } }";
        let data = self
            .ask(door, Some(&self.customer), query, json!({ "input": input }))
            .await?;
        let id = data["createOrder"]["order"]["id"]
            .as_str()
            .context(data.to_string())?;
        Ok(id.parse()?)
    }

    pub(crate) async fn cancel_order(&self, door: &str, order: OrderId, key: &str) -> Result<()> {
        let input = json!({ "orderId": order.to_string(), "idempotencyKey": key });
        let query =
            "mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { userErrors { code } } }";
        let data = self
            .ask(door, Some(&self.customer), query, json!({ "input": input }))
            .await?;
        ensure!(data["cancelOrder"]["userErrors"] == json!([]), "{data}");
        Ok(())
    }

    /// The shop sends the money of a paid order back and puts the units on the shelf again.
    pub(crate) async fn refund_order(&self, door: &str, order: OrderId, key: &str) -> Result<()> {
        let input =
            json!({ "orderId": order.to_string(), "reason": "test", "restock": true, "idempotencyKey": key });
        let query =
            "mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { userErrors { code } } }";
        let data = self
            .ask(door, Some(&self.admin), query, json!({ "input": input }))
            .await?;
        ensure!(data["refundOrder"]["userErrors"] == json!([]), "{data}");
        Ok(())
    }

    /// The shop takes the only unit of an order's only line back: the money goes back, and the unit to its shelf.
    pub(crate) async fn return_order(&self, door: &str, order: OrderId, key: &str) -> Result<()> {
        let query = "query ($id: ID!) { order(id: $id) { lines { id } } }";
        let data = self
            .ask(door, Some(&self.admin), query, json!({ "id": order.to_string() }))
            .await?;
        let line = &data["order"]["lines"][0]["id"];
        let input = json!({ "orderId": order.to_string(), "reason": "test", "idempotencyKey": key,
            "lines": [{ "lineId": line, "quantity": 1, "restock": true }] });
        let query =
            "mutation ($input: ReturnLinesInput!) { returnLines(input: $input) { userErrors { code } } }";
        let data = self
            .ask(door, Some(&self.admin), query, json!({ "input": input }))
            .await?;
        ensure!(data["returnLines"]["userErrors"] == json!([]), "{data}");
        Ok(())
    }

    /// Whether an order has returns and all are through.
    pub(crate) async fn return_ended(&self, order: OrderId) -> Result<bool> {
        let ended = sqlx::query_scalar(
            "SELECT count(*) > 0 AND count(*) = count(ended_at) FROM order_return WHERE order_id = $1",
        );
        Ok(ended.bind(order.uuid()).fetch_one(&self.books.order).await?)
    }

    /// What came back of an order by returns that are through: units, and the amount in minor units.
    pub(crate) async fn returned(&self, order: OrderId) -> Result<(i64, i64)> {
        let returned = sqlx::query_as(
            "SELECT (SELECT coalesce(sum(quantity), 0)::bigint FROM order_return_line JOIN order_return
                    USING (order_id, number) WHERE order_id = $1 AND units = 'DONE'),
                (SELECT coalesce(sum(amount_minor), 0)::bigint FROM order_return
                    WHERE order_id = $1 AND money = 'DONE')",
        );
        Ok(returned.bind(order.uuid()).fetch_one(&self.books.order).await?)
    }

    /// The saga's state of an order, as its database knows it.
    pub(crate) async fn status(&self, order: OrderId) -> Result<String> {
        let found = sqlx::query_scalar("SELECT status FROM orders WHERE id = $1")
            .bind(order.uuid())
            .fetch_optional(&self.books.order)
            .await?;
        found.with_context(|| format!("{order} was acknowledged and does not exist"))
    }

    /// What the provider has: money taken and given back, in minor units, of one order.
    pub(crate) async fn charges(&self) -> Result<Vec<Value>> {
        let plan = self.stack.plan();
        let url = format!("{}/_sandbox/charges", plan.psp_url());
        let answer = self.http.get(url).bearer_auth(&plan.psp_api_key).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Changes how the provider behaves.
    pub(crate) async fn set_provider(&self, patch: Value) -> Result<()> {
        let plan = self.stack.plan();
        let url = format!("{}/_sandbox/settings", plan.psp_url());
        let answer = self
            .http
            .patch(url)
            .bearer_auth(&plan.psp_api_key)
            .json(&patch)
            .send()
            .await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// Kills a process if it runs, and starts it with these variables changed.
    pub(crate) fn restart(&self, process: &str, variables: &[(&str, Option<&str>)]) -> Result<()> {
        for (name, value) in variables {
            self.stack.set_variable(process, name, *value)?;
        }
        blocking(|| {
            self.stack.kill(process)?;
            self.stack.start_again(process)
        })
    }
}

/// Asks until the answer is yes, for at most `patience`. An error counts as not yet, and is told in the end.
pub(crate) async fn eventually<F, Fut>(patience: Duration, what: &str, mut ask: F) -> Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<bool>>,
{
    let begun = Instant::now();
    loop {
        let last = ask().await;
        if matches!(last, Ok(true)) {
            return Ok(());
        }
        if begun.elapsed() >= patience {
            match last {
                Ok(_) => bail!("not within {} s: {what}", patience.as_secs()),
                Err(error) => bail!("not within {} s: {what}: {error:#}", patience.as_secs()),
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
