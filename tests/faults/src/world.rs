//! The system under test: private stores, all services with two processes of order, the sandbox, the router, and
//! where wanted a proxy on every link between them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use auditor::{Addresses, Books};
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, Link, Plan, Reroute, RouterFiles};
use dev_stack::{Settings, Stack};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::graph::Graph;
use crate::proxy::Proxy;

/// People get ten minutes to pay; here it must be over soon.
pub(crate) const DEADLINE_S: u32 = 20;
/// How much longer than that a reservation lives.
pub(crate) const MARGIN_S: u32 = 20;
/// A killed process's orders are taken over well before their deadline.
const LEASE_S: u32 = 7;

/// What a link carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// REST between services.
    Calls,
    /// The router's requests to order.
    Graph,
    /// PostgreSQL.
    Postgres,
    /// RabbitMQ.
    Broker,
    /// Redis.
    Redis,
    /// Requests to the payment provider, and its webhooks.
    Provider,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Calls,
        Self::Graph,
        Self::Postgres,
        Self::Broker,
        Self::Redis,
        Self::Provider,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls between services",
            Self::Graph => "router to order",
            Self::Postgres => "PostgreSQL",
            Self::Broker => "RabbitMQ",
            Self::Redis => "Redis",
            Self::Provider => "payment provider",
        }
    }

    /// The kind of a link that orders go over; none for the others, which are left alone.
    fn of(link: &Link) -> Option<Self> {
        let process = link.process.split("-2").next().unwrap_or_default();
        Some(match (process, link.variable.as_str()) {
            ("order", "CART_URL" | "PRODUCT_URL" | "INVENTORY_URL" | "PAYMENT_URL")
            | ("cart", "PRODUCT_URL") => Self::Calls,
            ("router", "ORDER_GRAPHQL_URL") => Self::Graph,
            ("order" | "inventory" | "payment", "DATABASE_URL") => Self::Postgres,
            ("order" | "inventory" | "payment", "AMQP_URL") => Self::Broker,
            ("cart", "REDIS_URL") => Self::Redis,
            ("payment", "PSP_BASE_URL") | ("psp-sandbox", "WEBHOOK_URL") => Self::Provider,
            _ => return None,
        })
    }
}

/// The proxies, by kind, process and variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links(Arc<Mutex<BTreeMap<(Kind, String), Proxy>>>);

impl Links {
    fn between(&self, link: &Link) -> Result<std::net::SocketAddr> {
        let Some(kind) = Kind::of(link) else {
            return Ok(link.address);
        };
        let proxy = Proxy::start(link.address)?;
        let address = proxy.address();
        let name = format!("{} {}", link.process, link.variable);
        let mut proxies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        proxies.insert((kind, name), proxy);
        Ok(address)
    }

    /// All links of a kind, by name.
    pub(crate) fn of(&self, kind: Kind) -> Vec<(String, Proxy)> {
        let proxies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = proxies.iter().filter(|((of, _), _)| *of == kind);
        ours.map(|((_, name), proxy)| (name.clone(), proxy.clone()))
            .collect()
    }
}

/// How the system is started.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Folder of the services' programs.
    pub(crate) binaries: PathBuf,
    /// Whether there is a proxy on every link.
    pub(crate) proxied: bool,
    /// Seconds a buyer has to pay.
    pub(crate) deadline_s: u32,
}

pub(crate) struct World {
    pub(crate) stack: Arc<Stack>,
    pub(crate) plan: Plan,
    pub(crate) links: Links,
    /// As nobody.
    pub(crate) graph: Graph,
    pub(crate) admin: Graph,
    pub(crate) books: Books,
    /// The maintenance database.
    pub(crate) postgres: PgPool,
    http: reqwest::Client,
    folder: Option<tempfile::TempDir>,
}

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl World {
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let folder = dev_stack::servers::scratch_folder()?;
        let links = Links::default();
        let settings = settings(options, folder.path(), &links)?;
        let stack = tokio::task::spawn_blocking(move || Stack::start(&settings, &())).await??;
        let plan = stack.plan();
        let graph = Graph::new(&plan.graphql_url());
        let admin = Graph::new(&plan.staff_url())
            .login(ADMIN_EMAIL, ADMIN_PASSWORD)
            .await
            .context("the administrator")?;
        let books = Books::connect(&Addresses {
            order: plan.database_url("order"),
            inventory: plan.database_url("inventory"),
            payment: plan.database_url("payment"),
        })
        .await?;
        let postgres = lazy_pool(&format!("{}/postgres", plan.stores.postgres))?;
        Ok(Self {
            stack: Arc::new(stack),
            plan,
            links,
            graph,
            admin,
            books,
            postgres,
            http: service_kit::http::client(Duration::from_secs(5)),
            folder: Some(folder),
        })
    }

    /// Products that did not exist, with so much stock each; variants by SKU.
    pub(crate) async fn products(&self, count: usize, units: u32) -> Result<Vec<(String, String)>> {
        let run = uuid::Uuid::now_v7().simple().to_string().to_uppercase();
        let skus: Vec<String> = (0..count).map(|number| format!("F{run}-{number}")).collect();
        let variants = self.admin.stock_up(&skus, units).await?;
        Ok(skus.into_iter().zip(variants).collect())
    }

    /// Customers with sessions, by e-mail.
    pub(crate) async fn customers(&self, count: usize) -> Result<Vec<(String, Graph)>> {
        let mut customers = Vec::with_capacity(count);
        for _ in 0..count {
            let email = format!("{}@example.com", uuid::Uuid::now_v7().simple());
            let graph = self.graph.register(&email).await?;
            customers.push((email, graph));
        }
        Ok(customers)
    }

    /// Changes the payment provider's settings.
    pub(crate) async fn provider(&self, patch: Value) -> Result<()> {
        let url = format!("{}/_sandbox/settings", self.plan.psp_url());
        let request = self
            .http
            .patch(url)
            .bearer_auth(&self.plan.psp_api_key)
            .json(&patch);
        let status = request.send().await?.status();
        ensure!(status.is_success(), "the sandbox answers {status}");
        Ok(())
    }

    /// Where the provider's own books are.
    pub(crate) fn provider_books(&self) -> Result<auditor::Provider> {
        Ok(auditor::Provider {
            url: self.plan.psp_url().parse()?,
            api_key: self.plan.psp_api_key.clone(),
        })
    }

    /// Whether a service's program was there to be started: some are optional.
    pub(crate) fn runs(&self, service: &str) -> bool {
        self.plan.binaries.join(service).is_file()
    }

    /// The database of analytics, for the auditor.
    pub(crate) fn analytics(&self) -> Option<String> {
        self.runs("analytics")
            .then(|| self.plan.database_url("analytics"))
    }

    /// The broker, for the auditor.
    pub(crate) fn broker(&self) -> auditor::Broker {
        auditor::Broker {
            url: self.plan.stores.amqp.clone(),
            prefix: String::new(),
        }
    }

    /// The metrics a process shows.
    pub(crate) async fn metrics(&self, process: &str) -> Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", self.plan.ports_of(process)?.ops);
        Ok(self.http.get(url).send().await?.text().await?)
    }

    /// Runs `rabbitmqctl`.
    pub(crate) async fn rabbitmqctl(&self, words: &[&str]) -> Result<String> {
        rabbitmqctl(&self.plan, words).await
    }

    /// Does something blocking with the processes.
    pub(crate) async fn with_stack<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Stack) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let stack = Arc::clone(&self.stack);
        tokio::task::spawn_blocking(move || work(&stack)).await?
    }

    /// Stops everything. Of a failed run the logs are kept in `target/faults-logs`.
    pub(crate) async fn finish(mut self, failed: bool) -> Result<()> {
        self.with_stack(|stack| {
            stack.stop_all(&());
            Ok(())
        })
        .await?;
        let kept = root().join("target/faults-logs");
        if failed && let Some(folder) = self.folder.take() {
            let _ = std::fs::remove_dir_all(&kept);
            copy(&folder.path().join("data/logs"), &kept)?;
            println!("the logs are in {}", kept.display());
        }
        Ok(())
    }
}

/// What a plan's `rabbitmqctl` prints.
pub(crate) async fn rabbitmqctl(plan: &Plan, words: &[&str]) -> Result<String> {
    let mut command = tokio::process::Command::new(&plan.stores.rabbitmqctl);
    let output = command.args(words).output().await.context("rabbitmqctl")?;
    ensure!(
        output.status.success(),
        "rabbitmqctl {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A pool that connects when it is used, and again after PostgreSQL was away.
pub(crate) fn lazy_pool(url: &str) -> Result<PgPool> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("faults");
    Ok(PgPoolOptions::new()
        .max_connections(3)
        .acquire_timeout(Duration::from_secs(3))
        .connect_lazy_with(options))
}

fn settings(options: &Options, folder: &Path, links: &Links) -> Result<Settings> {
    let mut settings = Settings::for_tests(folder.join("data"), options.binaries.clone());
    settings.order_replicas = 2;
    settings.router = Some(RouterFiles::in_folder(
        dev_stack::router::ensure(&())?,
        &root().join("router"),
    ));
    for order in ["order", "order-2"] {
        settings.extra(order, "PAYMENT_DEADLINE_S", &options.deadline_s.to_string());
        settings.extra(order, "RESERVATION_MARGIN_S", &MARGIN_S.to_string());
        settings.extra(order, "LEASE_S", &LEASE_S.to_string());
    }
    if options.proxied {
        let links = links.clone();
        let runtime = tokio::runtime::Handle::current();
        settings.reroute = Some(Reroute::new(move |link| {
            let _in_runtime = runtime.enter();
            links.between(link)
        }));
    }
    Ok(settings)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// The weights of the payment provider's mix in the campaign.
pub(crate) fn provider_mix() -> Value {
    json!({
        "mix": { "ok": 78, "decline": 12, "timeout_then_ok": 4, "never": 3, "slow": 0, "late_success": 3 },
        "late_ms": 1500, "hang_ms": 6000,
        "webhooks": { "duplicate": 0.2, "reorder": 0.2, "reorder_ms": 2000 },
    })
}
