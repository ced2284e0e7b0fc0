//! What the payment provider says it took and gave back: the sandbox's `/_sandbox/charges`.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
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

impl Provider {
    pub(crate) async fn charges(&self) -> Result<Vec<Charge>> {
        // Fails only when another part of the program has installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let url = self.url.join("/_sandbox/charges")?;
        let answer = http
            .get(url)
            .bearer_auth(&self.api_key)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .context("the provider's books")?;
        answer.json().await.context("the provider's books")
    }
}
