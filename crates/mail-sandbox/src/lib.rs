//! A mail server to run against: takes every mail by SMTP, shows it on a page and by an API, delivers none.
//!
//! Owns the mails it has caught, in memory, and how badly it behaves. Must not know anything of Mercato. See the README
//! for the API and the settings.

use std::net::SocketAddr;

use anyhow::Context as _;
use service_kit::{ConfigError, Env, Host, Listener};
use tokio::net::TcpListener;

mod guard;
mod http;
mod page;
mod sandbox;
mod session;
mod settings;
mod smtp;

pub use guard::Guard;
pub use http::router;
pub use sandbox::{Caught, Sandbox};
pub use settings::Settings;
pub use smtp::{serve, serve_guarded};

/// What the sandbox needs to start.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// `LISTEN_ADDR`: where the page and the API are.
    pub listen: SocketAddr,
    /// `SMTP_LISTEN_ADDR`: where mails are taken.
    pub smtp: SocketAddr,
}

impl Config {
    /// Reads the environment; all faults at once.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listen = env.required("LISTEN_ADDR");
        let smtp = env.required("SMTP_LISTEN_ADDR");
        env.finish(|| {
            Some(Self {
                listen: listen?,
                smtp: smtp?,
            })
        })
    }
}

/// Starts to take mails, and returns the page's listener.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let sandbox = Sandbox::new(host.clock.clone());
    let listener = TcpListener::bind(config.smtp)
        .await
        .with_context(|| format!("listen on {}", config.smtp))?;
    host.spawn("smtp", serve(listener, sandbox.clone(), host.shutdown.clone()));
    Ok(vec![Listener::new("page", config.listen, router(sandbox))])
}
