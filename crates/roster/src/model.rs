//! The shape of a `service.toml`. Pure; also part of the build script.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A service, as its `service.toml` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Its folder's name: also that of its program, its account, its database (`NAME_db`) and its subgraph.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// The shop runs without it.
    pub optional: bool,
    /// It owns a PostgreSQL database.
    pub database: bool,
    /// What is its in Redis.
    pub redis: Option<Redis>,
    /// What it tells and hears on the broker.
    pub events: Events,
    /// Services whose internal listener it calls.
    pub calls: Vec<String>,
    /// What its public listener is for; absent: it has none.
    pub public: Option<Public>,
    /// What it reaches in the world.
    pub outside: Option<Outside>,
    /// Secrets beyond those of its stores and its own key.
    pub secrets: Vec<Secret>,
    /// Secrets it reads as a whole folder.
    pub folders: Vec<Folder>,
    /// Variables that are the same everywhere; `{shop}` stands for the shop's address.
    pub variables: BTreeMap<String, String>,
    /// Variables for a deployment to begin with.
    pub production: BTreeMap<String, String>,
    /// Variables on one machine and in containers there; `{mail-sandbox}` stands for host and port of the mail server.
    pub development: BTreeMap<String, String>,
    /// Panels of its board beyond the usual ones.
    pub panels: Vec<Panel>,
}

/// What a service is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// A crate.
    #[default]
    Rust,
    /// An npm package.
    Typescript,
}

/// What is a service's in Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Number of its database; no two services share one.
    pub database: u8,
    /// What its keys begin with, without the colon.
    pub keys: Vec<String>,
}

/// What a service tells and hears on the broker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// What it publishes to `NAME.events`, from an outbox: types such as `order.created.v1`.
    pub publishes: Vec<String>,
    /// Whose events it applies, from a queue of its own each.
    pub consumes: Vec<Consumes>,
}

/// Events of one service that another applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumes {
    /// Whose.
    pub from: String,
    /// Which: routing keys such as `order.created.v1`.
    pub events: Vec<String>,
}

/// What a public listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Public {
    /// The keys that users' tokens are verified with.
    Jwks,
    /// Subscriptions over a WebSocket.
    Live,
    /// What the payment provider calls.
    Webhooks,
}

/// What a service reaches in the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    /// What that is, for whoever reads the network policy.
    pub what: String,
    /// At which TCP ports.
    pub ports: Vec<u16>,
    /// What is reached instead where there is a sandbox.
    pub sandbox: Option<Place>,
}

/// A companion's listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The companion.
    pub name: String,
    /// TCP.
    pub port: u16,
}

/// A secret that a service reads from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Its key in the service's secret.
    pub key: String,
    /// The variable; `VARIABLE_FILE` names the file.
    pub variable: String,
    /// It is shown to what is in the world alone: there is no use for it where a sandbox stands.
    #[serde(default)]
    pub world: bool,
    /// The value on one machine, in the open: it guards demonstration data on the loopback address.
    pub development: Option<String>,
}

/// A secret that a service reads as a whole folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// The folder's name.
    pub name: String,
    /// The secret in it.
    pub secret: String,
    /// The variable that names it.
    pub variable: String,
}

/// A panel of a service's board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The query, in `PromQL`.
    pub query: String,
    /// What a line is called.
    pub legend: String,
    /// Grafana's name of the unit: `short`, `ops`, `reqps`, `s`, `bytes`.
    pub unit: String,
}

impl Service {
    /// The queue it consumes these from.
    pub fn queue(&self, heard: &Consumes) -> String {
        format!("{}.{}-events", self.name, heard.from)
    }

    /// Whether it tells others anything.
    pub fn is_publisher(&self) -> bool {
        !self.events.publishes.is_empty()
    }

    /// Whether it is on the broker.
    pub fn has_broker(&self) -> bool {
        self.is_publisher() || !self.events.consumes.is_empty()
    }

    /// Whether it serves subscriptions.
    pub fn is_live(&self) -> bool {
        self.public == Some(Public::Live)
    }

    /// Where the edge serves its subscriptions, if it serves any. Order's were the first, and keep the short path.
    pub fn live_path(&self) -> Option<String> {
        self.is_live().then(|| match self.name.as_str() {
            "order" => "/graphql/ws".to_owned(),
            other => format!("/graphql/ws/{other}"),
        })
    }

    /// What the variables of its listeners, stores and keys begin with: `ORDER` of `order`.
    pub fn upper(&self) -> String {
        self.name.to_uppercase()
    }

    /// Keys of its own secret, sorted: those of its stores, its key, and what else it reads.
    pub fn secret_keys(&self) -> Vec<&str> {
        let mut keys = vec!["service-key.pem"];
        keys.extend(self.stores().into_iter().map(|(key, _)| key));
        keys.extend(self.secrets.iter().map(|secret| secret.key.as_str()));
        keys.sort_unstable();
        keys
    }

    /// The stores it has: the key of the address in its secret, and the variable for it.
    pub fn stores(&self) -> Vec<(&'static str, &'static str)> {
        [
            (self.database, "database-url", "DATABASE_URL"),
            (self.redis.is_some(), "redis-url", "REDIS_URL"),
            (self.has_broker(), "amqp-url", "AMQP_URL"),
        ]
        .into_iter()
        .filter_map(|(has, key, variable)| has.then_some((key, variable)))
        .collect()
    }
}
