//! The connection: made in the background, short of patience, watched by readiness.

use std::time::Duration;

use redis_kit::Patience;
use service_kit::{Host, Secret};

use super::Store;

const ANSWER_WITHIN: Duration = Duration::from_millis(500);
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// Where the carts are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `redis://...`, perhaps with a password.
    pub url: Secret,
    /// What every key begins with.
    pub prefix: String,
}

impl Store {
    /// A store that connects on first use: the service starts without Redis and is not ready until it answers.
    pub fn connect(settings: &Settings) -> anyhow::Result<Self> {
        // No more than one retry: a shopper is told UNAVAILABLE soon rather than kept waiting.
        let patience = Patience {
            answer: ANSWER_WITHIN,
            connect: CONNECT_WITHIN,
            retries: 1,
        };
        Ok(Self {
            connection: redis_kit::connect(settings.url.expose(), patience)?,
            prefix: settings.prefix.clone(),
            script: redis::Script::new(include_str!("commit.lua")),
        })
    }

    /// Tells readiness whether Redis answers, until the host stops.
    pub(crate) async fn watch(self, host: Host) {
        let component = host.readiness.component("redis");
        loop {
            match self.ping().await {
                Ok(()) => component.up(),
                Err(error) => component.down(error.to_string()),
            }
            tokio::select! {
                () = host.shutdown.cancelled() => return,
                () = tokio::time::sleep(PROBE_EVERY) => {}
            }
        }
    }

    async fn ping(&self) -> Result<(), redis::RedisError> {
        redis::cmd("PING")
            .query_async::<String>(&mut self.connection.clone())
            .await
            .map(|_| ())
    }
}
