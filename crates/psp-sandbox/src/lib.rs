//! A payment provider to run against: Stripe's wire format, own process, own durable state.
//!
//! Owns payment intents, refunds and webhooks of an imaginary bank, as far as Mercato uses them. What it answered
//! survives `kill -9`: every change is in the journal, on disk, before anybody hears of it. Must not know anything
//! of Mercato. See the README for payment methods and the `/_sandbox` endpoints.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use service_kit::{ConfigError, Env, Host, Listener, Secret};
use url::Url;

mod admin;
pub mod commands;
pub mod fault;
pub mod form;
mod http;
pub mod journal;
pub mod method;
pub mod objects;
pub mod sandbox;
pub mod settings;
pub mod state;
pub mod webhook;

pub use admin::{Charge, Totals};
pub use http::router;
pub use sandbox::Sandbox;
pub use settings::Settings;
pub use webhook::Endpoint;

/// What the sandbox needs to start.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LISTEN_ADDR`: where the API listens.
    pub listen: SocketAddr,
    /// `DATA_DIR`: the journal's folder; made if absent.
    pub data_dir: PathBuf,
    /// `API_KEY`: the merchant's secret key.
    pub api_key: Secret,
    /// `WEBHOOK_URL` and `WEBHOOK_SECRET`: where events go. Without an address they are kept.
    pub endpoint: Option<Endpoint>,
    /// `SLOW_MS`, `LATE_MS` and `HANG_MS` at the start; the rest is default.
    pub settings: Settings,
}

impl Config {
    /// Reads the environment; all faults at once.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let defaults = Settings::default();
        let listen = env.required("LISTEN_ADDR");
        let data_dir = env.required("DATA_DIR");
        let api_key = env.secret("API_KEY");
        let url: Option<Option<Url>> = env.maybe("WEBHOOK_URL");
        let secret = match url {
            Some(Some(_)) => env.secret("WEBHOOK_SECRET").map(Some),
            _ => Some(None),
        };
        let slow_ms = env.optional("SLOW_MS", defaults.slow_ms);
        let late_ms = env.optional("LATE_MS", defaults.late_ms);
        let hang_ms = env.optional("HANG_MS", defaults.hang_ms);
        env.finish(|| {
            Some(Self {
                listen: listen?,
                data_dir: data_dir?,
                api_key: api_key?,
                endpoint: url?.zip(secret?).map(|(url, secret)| Endpoint { url, secret }),
                settings: Settings {
                    slow_ms: slow_ms?,
                    late_ms: late_ms?,
                    hang_ms: hang_ms?,
                    ..defaults
                },
            })
        })
    }
}

/// Opens the journal, starts delivering, and returns the API's listener.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let sandbox = Sandbox::open(&config.data_dir, config.settings, host.clock.clone())
        .with_context(|| format!("open the journal in {}", config.data_dir.display()))?;
    host.spawn(
        "webhooks",
        webhook::run(sandbox.clone(), config.endpoint, host.shutdown.clone()),
    );
    let router = router(sandbox, config.api_key, host.shutdown.clone());
    Ok(vec![Listener::new("api", config.listen, router)])
}
