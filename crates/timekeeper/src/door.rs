//! A place where operations can be sent, and how long each takes there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::sample::Sample;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An operation and what it is asked with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The operation's name in the document.
    pub operation_name: String,
    /// The document.
    pub query: String,
    /// Its variables.
    pub variables: Value,
}

/// The router, or a subgraph behind it; clones share connections.
#[derive(Clone)]
pub struct Door {
    http: reqwest::Client,
    url: Url,
    gateway_key: Option<String>,
    bearer: Option<String>,
}

impl Door {
    /// The door at `url`. A subgraph lets in whoever knows the gateway's key.
    pub fn try_new(url: Url, gateway_key: Option<String>) -> Result<Self> {
        // Fails only when another part of the program has installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            http,
            url,
            gateway_key,
            bearer: None,
        })
    }

    /// The same door as this user comes to it.
    #[must_use]
    pub fn with_bearer(&self, bearer: Option<String>) -> Self {
        Self {
            bearer,
            ..self.clone()
        }
    }

    /// The data of the answer, and how long it took to its last byte. Errors are no answer that could be timed.
    pub async fn ask(&self, question: &Question) -> Result<(Value, Duration)> {
        let name = &question.operation_name;
        let mut request = self
            .http
            .post(self.url.clone())
            .header(
                ACCEPT,
                "application/graphql-response+json, application/json;q=0.9",
            )
            .json(question);
        if let Some(key) = &self.gateway_key {
            request = request.header("x-gateway-key", key);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let begun = Instant::now();
        let response = request
            .send()
            .await
            .with_context(|| format!("{name} at {}", self.url))?;
        let status = response.status();
        let bytes = response.bytes().await.with_context(|| name.clone())?;
        let took = begun.elapsed();
        let Ok(mut answer) = serde_json::from_slice::<Value>(&bytes) else {
            bail!("{name} at {}: HTTP {status}", self.url);
        };
        ensure!(
            answer["errors"].is_null(),
            "{name} at {}: {}",
            self.url,
            answer["errors"]
        );
        Ok((answer["data"].take(), took))
    }

    /// Asks once.
    pub async fn time(&self, question: &Question) -> Result<Duration> {
        Ok(self.ask(question).await?.1)
    }

    /// Asks so often, one after the other.
    pub async fn sample(&self, question: &Question, times: usize) -> Result<Sample> {
        let mut sample = Sample::default();
        for _ in 0..times {
            sample.add(self.time(question).await?);
        }
        Ok(sample)
    }

    /// Answers a second when so many ask at once.
    pub async fn throughput(&self, question: &Question, times: usize, at_once: usize) -> Result<f64> {
        let begun = Instant::now();
        let mut answers =
            futures::stream::iter((0..times).map(|_| self.time(question))).buffer_unordered(at_once);
        let mut count = 0_u32;
        while let Some(answer) = answers.next().await {
            answer?;
            count += 1;
        }
        Ok(f64::from(count) / begun.elapsed().as_secs_f64().max(f64::EPSILON))
    }
}
