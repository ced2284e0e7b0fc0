//! Sends typed operations to the graph over HTTP.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::operations::UserError;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_ATTEMPTS: u32 = 8;
const BACKOFF_BASE_MS: u64 = 100;
const BACKOFF_CAP_MS: u64 = 5000;

/// A document with the types of its variables and its answer.
pub trait Operation {
    /// The operation's name in the document.
    const NAME: &'static str;
    /// The document.
    const TEXT: &'static str;
    /// What it is asked with.
    type Variables: Serialize;
    /// What it answers.
    type Data: DeserializeOwned;
}

/// The graph at its public address; clones share connections.
#[derive(Debug, Clone)]
pub struct Graph {
    http: reqwest::Client,
    url: Url,
}

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The graph was not reached, or its answer not read.
    #[error("the graph could not be reached: {0}")]
    Transport(#[from] reqwest::Error),
    /// An answer that is not GraphQL.
    #[error("the graph answered HTTP {0}")]
    Status(StatusCode),
    /// Top-level errors.
    #[error("{}", list(.0))]
    Errors(Vec<TopError>),
    /// The answer does not have the operation's shape.
    #[error("the answer is not as expected: {0}")]
    Shape(#[from] serde_json::Error),
    /// A business reason, from `userErrors`.
    #[error("{}", list(.0))]
    Refused(Vec<UserError>),
}

/// A top-level error of an answer.
#[derive(Debug, Clone, Deserialize)]
pub struct TopError {
    /// For people.
    pub message: String,
    /// The code, and more.
    #[serde(default)]
    pub extensions: Value,
}

impl TopError {
    /// The stable code; empty when there is none.
    pub fn code(&self) -> &str {
        self.extensions["code"].as_str().unwrap_or_default()
    }
}

impl fmt::Display for TopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.message)?;
        match self.extensions["correlationId"].as_str() {
            Some(id) => write!(f, " (correlation id {id})"),
            None => Ok(()),
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl GraphError {
    /// The code to count this by.
    pub fn code(&self) -> String {
        match self {
            Self::Transport(_) => "UNREACHABLE".to_owned(),
            Self::Status(status) => format!("HTTP_{}", status.as_u16()),
            Self::Errors(errors) => errors
                .first()
                .map_or(String::new(), |error| error.code().to_owned()),
            Self::Shape(_) => "BAD_ANSWER".to_owned(),
            Self::Refused(errors) => errors.first().map_or(String::new(), |error| error.code.clone()),
        }
    }

    /// Whether the graph says that it could not do it now, rather than that it will not.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Transport(error) => !error.is_builder(),
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Errors(errors) => errors.iter().any(|error| is_temporary_code(error.code())),
            Self::Shape(_) | Self::Refused(_) => false,
        }
    }

    fn wait_wanted(&self) -> Option<Duration> {
        let Self::Errors(errors) = self else { return None };
        let seconds = errors
            .iter()
            .find_map(|error| error.extensions["retryAfterSeconds"].as_u64());
        seconds.map(Duration::from_secs)
    }
}

/// Codes of the services, and the router's own for a service that it could not reach.
fn is_temporary_code(code: &str) -> bool {
    matches!(
        code,
        "UNAVAILABLE"
            | "RATE_LIMITED"
            | "IN_PROGRESS"
            | "SUBREQUEST_HTTP_ERROR"
            | "GATEWAY_TIMEOUT"
            | "REQUEST_TIMEOUT"
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, V> {
    query: &'a str,
    operation_name: &'a str,
    variables: &'a V,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<TopError>,
}

impl Graph {
    /// A client of the graph at `url`.
    pub fn try_new(url: Url) -> Result<Self, GraphError> {
        // Fails only when another part of the program has installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()?;
        Ok(Self { http, url })
    }

    /// Runs an operation, again for a while when the graph can't do it now. Every mutation sent here is safe to
    /// repeat: it bears an idempotency key, is an upsert, or (registering) is told apart by its refusal.
    pub async fn run<O: Operation>(
        &self,
        bearer: Option<&str>,
        variables: &O::Variables,
    ) -> Result<O::Data, GraphError> {
        let correlation_id = uuid::Uuid::now_v7().simple().to_string();
        let mut attempt = 1;
        loop {
            match self.once::<O>(bearer, variables, &correlation_id).await {
                Err(error) if error.is_temporary() && attempt < MAX_ATTEMPTS => {
                    tracing::debug!(operation = O::NAME, %error, attempt, "again");
                    let wait = error.wait_wanted().unwrap_or_else(|| backoff(attempt));
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once<O: Operation>(
        &self,
        bearer: Option<&str>,
        variables: &O::Variables,
        correlation_id: &str,
    ) -> Result<O::Data, GraphError> {
        let mut request = self
            .http
            .post(self.url.clone())
            .header(
                ACCEPT,
                "application/graphql-response+json, application/json;q=0.9",
            )
            .header("x-correlation-id", correlation_id)
            .json(&Body {
                query: O::TEXT,
                operation_name: O::NAME,
                variables,
            });
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let response = request.send().await?;
        let status = response.status();
        if response.headers().contains_key(RETRY_AFTER) {
            return Err(GraphError::Status(status));
        }
        let bytes = response.bytes().await?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&bytes) else {
            return Err(GraphError::Status(status));
        };
        if !answer.errors.is_empty() {
            return Err(GraphError::Errors(answer.errors));
        }
        Ok(serde_json::from_value(answer.data)?)
    }
}

/// Full jitter, so that many clients don't come back at once.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let most = BACKOFF_BASE_MS
        .saturating_mul(1 << attempt.min(10))
        .min(BACKOFF_CAP_MS);
    Duration::from_millis(rand::random_range(most / 4..=most))
}
