//! The client with which one service calls another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::{Problem, ProblemCode};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::{correlation, metrics, trace};
use tokio::sync::Semaphore;
use tracing::Instrument;
use url::Url;

use crate::ServiceKey;
use crate::breaker::Breaker;

/// Answers are lists of at most a few hundred small objects.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// What a caller grants a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// Time for one call in all.
    pub timeout: Duration,
    /// Calls at the same time; one more is refused at once.
    pub max_in_flight: usize,
    /// Failures in a row that open the breaker.
    pub failures_to_open: u32,
    /// How long the breaker stays open before it lets a probe through.
    pub cool_down: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            max_in_flight: 64,
            failures_to_open: 10,
            cool_down: Duration::from_secs(2),
        }
    }
}

/// How a call can fail. Only `Refused` is an answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The callee said no: nothing more happens there.
    #[error("refused: {0}")]
    Refused(Problem),
    /// It may or may not have happened: ask again with the same id.
    #[error("outcome unknown: {reason}")]
    Unknown {
        /// For logs.
        reason: String,
    },
    /// Nothing was sent: the breaker is open, too many calls are out, or nobody listens.
    #[error("unavailable, retry in {} ms", retry_after.as_millis())]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

impl CallError {
    /// The refusal, if it is one.
    pub const fn refusal(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    const fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Unknown { .. } => "unknown",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown {
            reason: reason.into(),
        }
    }
}

/// Calls one service, with its own token, time-out, limit and breaker; clones share them.
#[derive(Clone)]
pub struct ServiceClient(Arc<Inner>);

struct Inner {
    callee: &'static str,
    base: String,
    key: Arc<ServiceKey>,
    http: reqwest::Client,
    in_flight: Semaphore,
    breaker: Breaker,
    limits: ClientLimits,
}

impl ServiceClient {
    /// A client of `callee` at `base`.
    pub fn new(callee: &'static str, base: Url, key: Arc<ServiceKey>, limits: ClientLimits) -> Self {
        let client = Self(Arc::new(Inner {
            callee,
            base: base.as_str().trim_end_matches('/').to_owned(),
            key,
            http: service_kit::http::client(limits.timeout),
            in_flight: Semaphore::new(limits.max_in_flight),
            breaker: Breaker::new(limits.failures_to_open, limits.cool_down),
            limits,
        }));
        client.show_breaker();
        client
    }

    /// GET `path`, which starts with a slash.
    pub async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, CallError> {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// PUT `body` to `path`.
    pub async fn put<B: Serialize + Sync + ?Sized, R: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<R, CallError> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// POST `body` to `path`.
    pub async fn post<B: Serialize + Sync + ?Sized, R: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<R, CallError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// DELETE `path`.
    pub async fn delete<R: DeserializeOwned>(&self, path: &str) -> Result<R, CallError> {
        self.call(Method::DELETE, path, None::<&()>).await
    }

    async fn call<B: Serialize + Sync + ?Sized, R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<R, CallError> {
        let started = Instant::now();
        let callee = self.0.callee;
        let span = tracing::info_span!(
            "call",
            otel.kind = "client",
            otel.name = format!("{method} {callee}"),
            otel.status_code = tracing::field::Empty,
            peer.service = callee,
            http.request.method = %method,
            url.path = path,
            outcome = tracing::field::Empty,
        );
        let outcome = self.guarded(method, path, body).instrument(span.clone()).await;
        let label = outcome.as_ref().map_or_else(CallError::outcome, |_| "ok");
        span.record("outcome", label);
        if matches!(
            outcome,
            Err(CallError::Unknown { .. } | CallError::Unavailable { .. })
        ) {
            span.record("otel.status_code", "ERROR");
        }
        metrics::counter(
            "service_calls_total",
            "Calls to other services.",
            &["callee", "outcome"],
        )
        .with_label_values(&[callee, label])
        .inc();
        let seconds = metrics::histogram(
            "service_call_seconds",
            "Time of calls to other services.",
            &["callee"],
        );
        metrics::observe(&seconds, &[callee], started.elapsed().as_secs_f64());
        outcome
    }

    async fn guarded<B: Serialize + Sync + ?Sized, R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<R, CallError> {
        let inner = &*self.0;
        let _permit = inner
            .in_flight
            .try_acquire()
            .map_err(|_| CallError::Unavailable {
                retry_after: Duration::from_millis(100),
            })?;
        inner
            .breaker
            .admit(Instant::now())
            .map_err(|retry_after| CallError::Unavailable { retry_after })?;
        self.show_breaker();
        let answer = self.exchange(method, path, body).await;
        // A refusal is an answer: the callee is well.
        if matches!(answer, Ok(_) | Err(CallError::Refused(_))) {
            inner.breaker.succeeded();
        } else if inner.breaker.failed(Instant::now()) {
            tracing::warn!(callee = inner.callee, "breaker opened");
        }
        self.show_breaker();
        serde_json::from_slice(&answer?)
            .map_err(|error| CallError::unknown(format!("{} answered something else: {error}", inner.callee)))
    }

    fn show_breaker(&self) {
        metrics::gauge(
            "service_breaker_state",
            "Breakers before other services: 0 closed, 1 a probe is out, 2 open.",
            &["callee"],
        )
        .with_label_values(&[self.0.callee])
        .set(self.0.breaker.level());
    }

    async fn exchange<B: Serialize + Sync + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<Vec<u8>, CallError> {
        let inner = &*self.0;
        let mut request = inner
            .http
            .request(method, format!("{}{path}", inner.base))
            .bearer_auth(inner.key.mint(inner.callee))
            .header(
                correlation::HEADER,
                correlation::current().unwrap_or_else(correlation::new_id),
            );
        if let Some(traceparent) = trace::current_traceparent() {
            request = request.header(trace::HEADER, traceparent);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.failure(error))?;
        let status = response.status();
        let body = self.read(response).await?;
        if status.is_success() {
            // 204 and 202 may come without a body, which `()` and `Option` read as null.
            return Ok(if body.is_empty() { b"null".to_vec() } else { body });
        }
        Err(self.refusal(status, &body))
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| CallError::unknown(self.describe(error)))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                return Err(CallError::unknown("answer too large"));
            }
        }
        Ok(body)
    }

    fn failure(&self, error: reqwest::Error) -> CallError {
        if error.is_connect() {
            tracing::warn!(callee = self.0.callee, "can't connect");
            return CallError::Unavailable {
                retry_after: self.0.limits.cool_down,
            };
        }
        CallError::unknown(self.describe(error))
    }

    fn describe(&self, error: reqwest::Error) -> String {
        let what = if error.is_timeout() {
            "timed out"
        } else {
            "broke off"
        };
        format!("{} {what}: {}", self.0.callee, error.without_url())
    }

    /// A 4xx with a problem is an answer. A refused token is a fault of deployment, never a fact about an order.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> CallError {
        let problem = serde_json::from_slice::<Problem>(body)
            .ok()
            .filter(|_| status.is_client_error());
        match problem {
            Some(Problem {
                code: ProblemCode::Unauthenticated | ProblemCode::Forbidden,
                ..
            }) => {
                tracing::error!(callee = self.0.callee, %status, "callee does not accept this service's token");
                CallError::unknown(format!("{} refuses this service: {status}", self.0.callee))
            }
            Some(problem) => CallError::Refused(problem),
            None => CallError::unknown(format!("{} answered {status}", self.0.callee)),
        }
    }
}
