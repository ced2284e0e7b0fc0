//! What a local system consists of and where everything listens. Pure: starts nothing.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::servers::random_word;
use crate::{free_port, free_port_from};

/// The payment provider to run against.
pub const SANDBOX: &str = "psp-sandbox";
/// The mail server to run against.
pub const MAIL: &str = "mail-sandbox";
/// Checks the invariants of the saga again and again.
pub const AUDITOR: &str = "auditor-watch";
/// The router that the public reaches: without what is tagged `internal`.
pub const ROUTER: &str = "router";
/// The router of the whole graph, for those who run the shop.
pub const STAFF_ROUTER: &str = "router-staff";
/// Both routers.
pub const ROUTERS: [&str; 2] = [ROUTER, STAFF_ROUTER];
/// What browsers come in by: the page, the graph and its WebSocket on one origin.
pub const EDGE: &str = "edge";
/// Where the whole graph is served, at its router and at every edge.
pub const STAFF_PATH: &str = "/graphql/staff";
/// The first administrator of a local system.
pub const ADMIN_EMAIL: &str = "admin@mercato.example";
/// Their password: public on purpose, it guards demonstration data on the loopback address.
pub const ADMIN_PASSWORD: &str = "mercato-admin-demo";

/// Where one process listens; zero for what it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// GraphQL (services), the graph (routers), the API (sandbox).
    pub graphql: u16,
    /// REST for other services.
    pub internal: u16,
    /// Metrics, health and readiness.
    pub ops: u16,
    /// What browsers and the payment provider may reach; where mails are taken (mail sandbox).
    pub public: u16,
}

/// Where the stores listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stores {
    /// PostgreSQL, with user and password, without a database.
    pub postgres: String,
    /// Redis, without a database number.
    pub redis: String,
    /// RabbitMQ, for whoever may do everything.
    pub amqp: String,
    /// RabbitMQ as each service on it knows it, with its own account.
    #[serde(default)]
    pub accounts: BTreeMap<String, String>,
    /// A program that runs `rabbitmqctl` against this RabbitMQ.
    #[serde(default)]
    pub rabbitmqctl: PathBuf,
}

/// Files of the routers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterFiles {
    /// The program.
    pub program: PathBuf,
    /// `router.yaml`.
    pub config: PathBuf,
    /// The whole composed supergraph.
    pub supergraph: PathBuf,
    /// The same without what is tagged `internal`.
    pub public_supergraph: PathBuf,
    /// What serves the public instead; absent: Apollo Router serves everybody.
    #[serde(default)]
    pub hive: Option<Hive>,
}

/// Hive Router as the public's router: it federates subscriptions too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hive {
    /// The program.
    pub program: PathBuf,
    /// `hive.yaml`.
    pub config: PathBuf,
}

impl RouterFiles {
    /// The committed files in `folder`, which is the checkout's `router`.
    pub fn in_folder(program: PathBuf, folder: &Path) -> Self {
        Self {
            program,
            config: folder.join("router.yaml"),
            supergraph: folder.join("supergraph.graphql"),
            public_supergraph: folder.join("supergraph.public.graphql"),
            hive: None,
        }
    }

    /// The same with `program`, which is Hive Router, for the public. `folder` is the checkout's `router`.
    #[must_use]
    pub fn with_hive(self, program: PathBuf, folder: &Path) -> Self {
        let config = folder.join("hive.yaml");
        Self {
            hive: Some(Hive { program, config }),
            ..self
        }
    }

    /// What the router called `name` serves.
    pub(super) fn served_by(&self, name: &str) -> &Path {
        if name == STAFF_ROUTER {
            &self.supergraph
        } else {
            &self.public_supergraph
        }
    }
}

/// The shop's page, and where it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The built page, with `index.html` in it.
    pub folder: PathBuf,
    /// Wanted port; the next free one when taken, any free one when absent.
    pub port: Option<u16>,
}

/// Everything needed to start any process of the system, at first or again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Data, keys, logs and the state file.
    pub folder: PathBuf,
    /// Folder of the services' programs.
    pub binaries: PathBuf,
    /// The router; absent in tests that go without it.
    pub router: Option<RouterFiles>,
    /// The page; absent in systems without one.
    #[serde(default)]
    pub page: Option<Page>,
    /// Processes by name (`order`, `order-2`, ...).
    pub ports: BTreeMap<String, Ports>,
    /// The stores.
    pub stores: Stores,
    /// Whether the stores' data survives a crash of the machine.
    #[serde(default)]
    pub durable: bool,
    /// Shared by the router and the subgraphs.
    pub gateway_key: String,
    /// What payment shows the provider.
    pub psp_api_key: String,
    /// What the provider signs webhooks with.
    pub psp_webhook_secret: String,
    /// Variables beyond the usual ones, by process.
    pub extra: BTreeMap<String, BTreeMap<String, String>>,
}

impl Plan {
    /// Chooses ports and secrets.
    pub(super) fn new(settings: &Settings, stores: Stores) -> Result<Self> {
        let mut ports = BTreeMap::new();
        for name in settings.members() {
            ports.insert(name, some_ports()?);
        }
        if let Some(order) = ports.get_mut("order")
            && let Some(wanted) = settings.websocket_port
        {
            order.public = free_port_from(wanted)?;
        }
        if settings.router.is_some() {
            for (name, wanted) in [
                (ROUTER, settings.router_port),
                (STAFF_ROUTER, settings.staff_router_port),
            ] {
                let router = Ports {
                    graphql: wanted.map_or_else(free_port, free_port_from)?,
                    internal: 0,
                    ops: free_port()?,
                    public: free_port()?,
                };
                ports.insert(name.to_owned(), router);
            }
        }
        if let Some(page) = &settings.page {
            ports.insert(
                EDGE.to_owned(),
                Ports {
                    graphql: 0,
                    internal: 0,
                    ops: free_port()?,
                    public: page.port.map_or_else(free_port, free_port_from)?,
                },
            );
        }
        Ok(Self {
            folder: settings.folder.clone(),
            binaries: settings.binaries.clone(),
            router: settings.router.clone(),
            page: settings.page.clone(),
            ports,
            stores,
            durable: settings.durable,
            gateway_key: random_word(),
            psp_api_key: format!("sk_test_{}", random_word()),
            psp_webhook_secret: format!("whsec_{}", random_word()),
            extra: settings.extra.clone(),
        })
    }

    /// Ports of one process.
    pub fn ports_of(&self, name: &str) -> Result<Ports> {
        self.ports
            .get(name)
            .copied()
            .with_context(|| format!("there is no process called {name}"))
    }

    /// The public graph; operations are POSTed here. Port 0 when this system goes without a router.
    pub fn graphql_url(&self) -> String {
        format!(
            "http://127.0.0.1:{}/graphql",
            self.port(ROUTER, |ports| ports.graphql)
        )
    }

    /// The whole graph, for those who run the shop. Port 0 when this system goes without a router.
    pub fn staff_url(&self) -> String {
        let port = self.port(STAFF_ROUTER, |ports| ports.graphql);
        format!("http://127.0.0.1:{port}{STAFF_PATH}")
    }

    /// Where subscriptions are served. `replica` is `order`, `order-2`, ... or `notification`; port 0 when there is none.
    pub fn websocket_url(&self, replica: &str) -> String {
        let service = roster::find(program_of(replica));
        let path = service.and_then(roster::Service::live_path).unwrap_or_default();
        let port = self.port(replica, |ports| ports.public);
        format!("ws://127.0.0.1:{port}{path}")
    }

    /// Where subscriptions are served with fields of all services; nothing where none federates them.
    pub fn federated_websocket_url(&self) -> Option<String> {
        self.hive(ROUTER)?;
        let port = self.port(ROUTER, |ports| ports.graphql);
        Some(format!("ws://127.0.0.1:{port}/graphql/ws"))
    }

    /// Hive Router, if the process called `name` is one.
    pub(super) fn hive(&self, name: &str) -> Option<&Hive> {
        let files = self.router.as_ref().filter(|_| name == ROUTER)?;
        files.hive.as_ref()
    }

    /// Where browsers find the shop; nothing in a system without a page.
    pub fn page_url(&self) -> Option<String> {
        let port = self.port(EDGE, |ports| ports.public);
        (port != 0).then(|| format!("http://127.0.0.1:{port}"))
    }

    /// The payment provider's API and its `/_sandbox` endpoints.
    pub fn psp_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port(SANDBOX, |ports| ports.graphql))
    }

    /// The mail server's page and its API.
    pub fn mail_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port(MAIL, |ports| ports.graphql))
    }

    fn port(&self, name: &str, which: fn(&Ports) -> u16) -> u16 {
        self.ports.get(name).map_or(0, which)
    }

    /// The database of a service.
    pub fn database_url(&self, service: &str) -> String {
        format!("{}/{service}_db", self.stores.postgres)
    }

    /// Address and path that say whether a process is ready.
    pub fn readiness(&self, name: &str) -> Result<(SocketAddr, &'static str)> {
        let ports = self.ports_of(name)?;
        let (port, path) = if self.hive(name).is_some() {
            (ports.graphql, "/readiness")
        } else if ROUTERS.contains(&name) {
            (ports.ops, "/health?ready")
        } else {
            (ports.ops, "/readyz")
        };
        Ok((SocketAddr::from((Ipv4Addr::LOCALHOST, port)), path))
    }

    /// Where a process writes.
    pub fn log(&self, name: &str) -> PathBuf {
        log_file(&self.folder, name)
    }
}

pub(crate) fn log_file(folder: &Path, name: &str) -> PathBuf {
    folder.join("logs").join(format!("{name}.log"))
}

/// What the system runs without where its program is not there: a service in another language that can't be built, and
/// those that only tell what happened: the sums, people with the mail server they are told by, and other systems.
pub(super) fn is_optional(name: &str) -> bool {
    name == MAIL || roster::OPTIONAL.contains(&name)
}

fn some_ports() -> Result<Ports> {
    Ok(Ports {
        graphql: free_port()?,
        internal: free_port()?,
        ops: free_port()?,
        public: free_port()?,
    })
}

/// `order-2` is a replica of `order`.
pub(super) fn program_of(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((program, number)) if number.parse::<u8>().is_ok() => program,
        _ => name,
    }
}
