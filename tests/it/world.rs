//! The system under test and the people who use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, ROUTERS, RouterFiles, Settings, Stack};
use roster::SERVICES;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::client::Graph;
use crate::collector::Collector;

/// The deadline for a payment in these tests; people get ten minutes.
const PAYMENT_DEADLINE_S: &str = "20";

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) runtime: Runtime,
    graph: Graph,
    admin: Graph,
    collector: Option<Collector>,
    folder: Option<tempfile::TempDir>,
}

/// A key no one has used.
pub(crate) fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl World {
    /// Starts everything: stores, six services with two processes of order, the sandbox, the router.
    pub(crate) fn start() -> Result<Self> {
        let folder = dev_stack::servers::scratch_folder()?;
        let mut settings = Settings::for_tests(folder.path().to_owned(), binaries()?);
        settings.order_replicas = 2;
        settings.router = Some(RouterFiles::in_folder(
            dev_stack::router::ensure(&())?,
            &root().join("router"),
        ));
        let runtime = Runtime::new()?;
        let collector = Collector::start(&runtime)?;
        for router in ROUTERS {
            settings.extra(router, "ROUTER_TRACES", "true");
            settings.extra(router, "ROUTER_OTLP_ENDPOINT", &collector.url);
        }
        for service in SERVICES.iter().chain(&["order-2"]) {
            settings.extra(service, "OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
            // Who took part in a request is read from the logs.
            settings.extra(service, "LOG", "info,service_kit::correlation=debug");
        }
        for order in ["order", "order-2"] {
            settings.extra(order, "PAYMENT_DEADLINE_S", PAYMENT_DEADLINE_S);
            settings.extra(order, "RESERVATION_MARGIN_S", "20");
            // A killed process's orders are taken over well before their deadline.
            settings.extra(order, "LEASE_S", "7");
        }
        let mut world = Self::with(Stack::start(&settings, &())?, runtime, Some(collector))?;
        world.folder = Some(folder);
        Ok(world)
    }

    /// A system that runs, its administrator, and who takes its spans.
    pub(crate) fn with(stack: Stack, runtime: Runtime, collector: Option<Collector>) -> Result<Self> {
        let plan = stack.plan();
        let graph = Graph::new(plan.graphql_url(), plan.websocket_url("order"));
        let staff = Graph::new(plan.staff_url(), plan.websocket_url("order"));
        let admin = runtime.block_on(sign_in(&staff, ADMIN_EMAIL, ADMIN_PASSWORD))?;
        Ok(Self {
            stack,
            runtime,
            graph,
            admin,
            collector,
            folder: None,
        })
    }

    pub(crate) fn anyone(&self) -> &Graph {
        &self.graph
    }

    /// Takes the spans that everything here exports.
    pub(crate) fn collector(&self) -> Result<&Collector> {
        self.collector.as_ref().context("nothing collects spans here")
    }

    /// The administrator, at the staff's graph.
    pub(crate) fn admin(&self) -> &Graph {
        &self.admin
    }

    /// The staff's graph, as somebody else sees it.
    pub(crate) fn staff_as(&self, person: &Graph) -> Graph {
        person.at(self.admin.url())
    }

    /// A new customer, signed in.
    pub(crate) async fn customer(&self) -> Result<Graph> {
        let email = format!("{}@example.com", Uuid::now_v7().simple());
        let data = self
            .graph
            .data(
                "mutation ($input: RegisterInput!) { register(input: $input) { session { accessToken } userErrors { code } } }",
                json!({ "input": { "email": email, "password": "correct horse battery", "displayName": "Ada" } }),
            )
            .await?;
        let token = data["register"]["session"]["accessToken"]
            .as_str()
            .context(data.to_string())?;
        Ok(self.graph.signed_in(token))
    }

    /// A product of one variant with `stock` units, made for one test.
    pub(crate) async fn product(&self, stock: u32) -> Result<Variant> {
        let name = format!("t{}", Uuid::now_v7().simple());
        let sku = name.to_uppercase();
        let data = self
            .admin
            .data(
                "mutation ($input: ImportProductsInput!) { importProducts(input: $input) { userErrors { code message } } }",
                json!({ "input": { "products": [{
                    "slug": name, "title": "Test article", "description": "Made for a test", "categoryPath": ["Tests"],
                    "variants": [{ "sku": sku, "title": "One", "weightGrams": 400, "price": { "amount": "12.50", "currencyCode": "USD" } }],
                }] } }),
            )
            .await?;
        ensure!(data["importProducts"]["userErrors"] == json!([]), "{data}");
        if stock > 0 {
            let input =
                json!({ "sku": sku, "delta": stock, "reason": "test", "idempotencyKey": fresh_key() });
            let adjust =
                "mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
            let data = self.admin.data(adjust, json!({ "input": input })).await?;
            ensure!(data["adjustStock"]["userErrors"] == json!([]), "{data}");
        }
        let data = self
            .admin
            .data(
                "query ($slug: String!) { product(slug: $slug) { id variants { id } } }",
                json!({ "slug": name }),
            )
            .await?;
        let id = data["product"]["variants"][0]["id"]
            .as_str()
            .context(data.to_string())?
            .to_owned();
        Ok(Variant { id, sku, slug: name })
    }

    /// What inventory holds of a variant: received, available, reserved, sold.
    pub(crate) async fn stock(&self, variant: &Variant) -> Result<[i64; 4]> {
        let data = self
            .admin
            .data(
                "query ($slug: String!) { product(slug: $slug) {
                    variants { stockLevel { received available reserved sold } } } }",
                json!({ "slug": variant.slug }),
            )
            .await?;
        let level = &data["product"]["variants"][0]["stockLevel"];
        Ok(["received", "available", "reserved", "sold"].map(|name| level[name].as_i64().unwrap_or(-1)))
    }

    /// Lets the auditor read all databases, once they are at rest.
    pub(crate) fn audit(&self) -> Result<()> {
        let plan = self.stack.plan();
        let output = std::process::Command::new(plan.binaries.join("auditor"))
            .args(["--order-db", &plan.database_url("order")])
            .args(["--inventory-db", &plan.database_url("inventory")])
            .args(["--payment-db", &plan.database_url("payment")])
            .args(["--wait", "60"])
            .output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "{printed}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Stops everything; keeps the logs of a failed run.
    pub(crate) fn finish(&self, failed: bool) {
        self.stack.stop_all(&());
        if failed && let Some(folder) = &self.folder {
            let kept = root().join("target/e2e-logs");
            let _ = fs::remove_dir_all(&kept);
            let _ = copy(folder.path().join("logs").as_path(), &kept);
            eprintln!("the logs are in {}", kept.display());
        }
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Cargo puts the services beside the test binary's folder.
pub(crate) fn binaries() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .context("no folder of binaries")?;
    ensure!(
        folder.join("order").exists(),
        "build the services first: cargo build --workspace --bins"
    );
    Ok(folder.to_owned())
}

async fn sign_in(graph: &Graph, email: &str, password: &str) -> Result<Graph> {
    let data = graph
        .data(
            "mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } userErrors { code } } }",
            json!({ "input": { "email": email, "password": password } }),
        )
        .await?;
    let token = data["login"]["session"]["accessToken"]
        .as_str()
        .context(data.to_string())?;
    Ok(graph.signed_in(token))
}

pub(crate) struct Variant {
    pub(crate) id: String,
    pub(crate) sku: String,
    pub(crate) slug: String,
}

impl Graph {
    /// A cart with some of one variant.
    pub(crate) async fn cart(&self, variant: &Variant, quantity: u32) -> Result<String> {
        let data = self
            .data(
                "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id version } userErrors { code } } }",
                json!({ "input": { "currencyCode": "USD", "idempotencyKey": fresh_key(),
                    "lines": [{ "variantId": variant.id, "quantity": quantity }] } }),
            )
            .await?;
        data["createCart"]["cart"]["id"]
            .as_str()
            .map(str::to_owned)
            .context(data.to_string())
    }

    /// The payload of `createOrder`.
    pub(crate) async fn create_order(&self, cart: &str, method: &str, key: &str) -> Result<Value> {
        let mut data = self
            .data(
                "mutation CreateOrder($input: CreateOrderInput!) { createOrder(input: $input) {
                    order { id number status total { amount currencyCode } } userErrors { code message field } } }",
                json!({ "input": { "cartId": cart, "paymentMethod": method, "idempotencyKey": key } }),
            )
            .await?;
        Ok(data["createOrder"].take())
    }

    /// Orders one variant; the order's id.
    pub(crate) async fn buy(&self, variant: &Variant, quantity: u32, method: &str) -> Result<String> {
        let cart = self.cart(variant, quantity).await?;
        let payload = self.create_order(&cart, method, &fresh_key()).await?;
        ensure!(payload["userErrors"] == json!([]), "{payload}");
        payload["order"]["id"]
            .as_str()
            .map(str::to_owned)
            .context(payload.to_string())
    }

    /// As a shop's page would: the same keys until there is an answer.
    pub(crate) async fn buy_stubbornly(&self, variant: &str, number: u32) -> Result<String> {
        let (cart_key, order_key) = (
            format!("{number}-{}", fresh_key()),
            format!("{number}-{}", fresh_key()),
        );
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            let input = json!({ "currencyCode": "USD", "idempotencyKey": cart_key, "lines": [{ "variantId": variant, "quantity": 1 }] });
            let query = "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id } } }";
            if let Ok(data) = self.data(query, json!({ "input": input })).await
                && let Some(cart) = data["createCart"]["cart"]["id"].as_str()
                && let Ok(payload) = self.create_order(cart, "pm_card_visa", &order_key).await
                && let Some(order) = payload["order"]["id"].as_str()
            {
                return Ok(order.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("order {number} was never accepted")
    }

    /// Status and version of an order.
    pub(crate) async fn order(&self, id: &str) -> Result<Value> {
        let query =
            "query ($id: ID!) { order(id: $id) { id status isFinal cancelReason version total { amount }
            timeline { sequence step status } payment { status amount { amount } refunded { amount } } } }";
        let mut data = self.data(query, json!({ "id": id })).await?;
        Ok(data["order"].take())
    }

    pub(crate) async fn cancel(&self, id: &str) -> Result<Value> {
        let mut data = self
            .data(
                "mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } userErrors { code } } }",
                json!({ "input": { "orderId": id, "idempotencyKey": fresh_key() } }),
            )
            .await?;
        Ok(data["cancelOrder"].take())
    }
}

/// The names of the steps, in their order.
pub(crate) fn steps(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["step"].as_str()).collect()
}

/// Asks until the answer is right, for at most `patience`.
pub(crate) async fn eventually<F, Fut>(patience: Duration, what: &str, mut ask: F) -> Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<bool>>,
{
    let begun = std::time::Instant::now();
    loop {
        let last = ask().await;
        if matches!(last, Ok(true)) {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < patience,
            "not within {patience:?}: {what} (last: {last:?})"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
