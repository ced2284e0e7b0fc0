//! What the payment provider says it took and gave back, and what it still has in hand: the sandbox's `/_sandbox`.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where the provider is.
#[derive(Clone)]
pub struct Provider {
    /// Base address of its API.
    pub url: Url,
    /// The merchant's key.
    pub api_key: String,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({}, ***)", self.url)
    }
}

/// One payment as the provider sees it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Charge {
    /// What we keep as `psp_ref`.
    pub(crate) payment_intent: String,
    /// The order we named, if we did.
    pub(crate) order_id: Option<String>,
    /// Lower case.
    pub(crate) currency: String,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
}

#[derive(Deserialize)]
struct Totals {
    intents_due: i64,
    webhooks_pending: i64,
}

impl Provider {
    pub(crate) async fn charges(&self) -> Result<Vec<Charge>> {
        self.ask("/_sandbox/charges")
            .await
            .context("the provider's books")
    }

    /// Payments that are still to succeed by themselves, and webhooks nobody has accepted yet.
    pub(crate) async fn to_come(&self) -> Result<i64> {
        let totals: Totals = self
            .ask("/_sandbox/totals")
            .await
            .context("the provider's totals")?;
        Ok(totals.intents_due + totals.webhooks_pending)
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        // Fails only when another part of the program has installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let request = http.get(self.url.join(path)?).bearer_auth(&self.api_key);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}
