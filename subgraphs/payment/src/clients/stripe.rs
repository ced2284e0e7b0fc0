//! Stripe's PaymentIntents and Refunds: another base address and key are another provider that speaks the same.
//!
//! Owns the wire and the difference between a definite answer and an unknown outcome. Must not know what follows
//! from an answer, nor the store.

mod signature;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::HistogramVec;
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use service_kit::{Secret, bug};
use tokio::sync::Semaphore;
use tracing::Instrument;
use url::Url;

use crate::domain::{News, Payment, Refund, RefundReport, Report, Terms};

pub use signature::{SignatureError, verify};
pub use wire::{About, ReadError, UnknownCurrency, Webhook, read_webhook};

/// The version of Stripe's API whose fields are read here.
const API_VERSION: &str = "2025-03-31.basil";
/// Most calls in the air.
const WINDOW: usize = 64;

/// Where the provider is, and who we are to it.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// `PSP_BASE_URL`: `https://api.stripe.com`, or the sandbox.
    pub base: Url,
    /// `PSP_API_KEY`: the secret key.
    pub key: Secret,
    /// `PSP_TIMEOUT_MS`: how long an answer may take; afterwards the outcome is unknown.
    pub timeout: Duration,
}

/// Why there is no answer to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A definite no; nothing happened and nothing will.
    #[error("refused with {code}: {message}")]
    Refused {
        /// The provider's code.
        code: String,
        /// For a person.
        message: String,
    },
    /// The idempotency key was used with other parameters before.
    #[error("the idempotency key was used with other parameters")]
    KeyReused,
    /// Anything may have happened: ask again with the same key.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// The provider's client; clones share its connections.
#[derive(Clone)]
pub struct Stripe {
    http: reqwest::Client,
    config: Arc<StripeConfig>,
    window: Arc<Semaphore>,
    seconds: HistogramVec,
}

type Answer<T> = Result<T, ProviderError>;
type Form<'a> = Vec<(&'a str, String)>;

impl Stripe {
    /// A client.
    pub fn new(config: StripeConfig) -> Self {
        let http = service_kit::http::client(config.timeout);
        let seconds = service_kit::metrics::histogram(
            "payment_provider_seconds",
            "Calls of the payment provider.",
            &["operation", "outcome"],
        );
        Self {
            http,
            config: Arc::new(config),
            window: Arc::new(Semaphore::new(WINDOW)),
            seconds,
        }
    }

    /// Creates and confirms: this takes the money, once, however often it is called for a payment.
    pub async fn create(&self, payment: &Payment, terms: &Terms) -> Answer<Report> {
        let mut form = create_form(payment, terms);
        form.push(("confirm", "true".to_owned()));
        // Nobody is there to pass a challenge: the provider declines instead.
        form.push(("error_on_requires_action", "true".to_owned()));
        let request = self
            .post("v1/payment_intents")
            .header("idempotency-key", payment.id.to_string());
        self.intent("create", request.form(&form)).await
    }

    /// Makes sure that no [`Stripe::create`] of this payment can take money any more, if none has yet: occupies its
    /// idempotency key with an unconfirmed intent. [`ProviderError::KeyReused`] means that a create came first.
    pub async fn fence(&self, payment: &Payment, terms: &Terms) -> Answer<Report> {
        let form = create_form(payment, terms);
        let request = self
            .post("v1/payment_intents")
            .header("idempotency-key", payment.id.to_string());
        self.intent("fence", request.form(&form)).await
    }

    /// Asks where a payment stands.
    pub async fn show(&self, psp_ref: &str) -> Answer<Report> {
        self.intent("show", self.get(&format!("v1/payment_intents/{psp_ref}")))
            .await
    }

    /// Cancels; the answer says what the payment is now, cancelled or taken.
    pub async fn cancel(&self, psp_ref: &str) -> Answer<Report> {
        let request = self.post(&format!("v1/payment_intents/{psp_ref}/cancel"));
        self.intent("cancel", request.form(&[("cancellation_reason", "abandoned")]))
            .await
    }

    /// Refunds, once, however often it is called for a refund.
    pub async fn refund(&self, refund: &Refund, payment_ref: &str) -> Answer<RefundReport> {
        let form = [
            ("payment_intent", payment_ref.to_owned()),
            ("amount", refund.amount.amount_minor.to_string()),
            ("metadata[refund_id]", refund.id.to_string()),
            ("metadata[reason]", refund.reason.clone()),
        ];
        let key = if bug!("random_refund_key") {
            contracts::RefundId::generate()
        } else {
            refund.id
        };
        let request = self
            .post("v1/refunds")
            .header("idempotency-key", key.to_string())
            .form(&form);
        known_currency(self.call::<wire::Refund>("refund", request).await?.report())
    }

    /// Asks where a refund stands.
    pub async fn show_refund(&self, psp_ref: &str) -> Answer<RefundReport> {
        let request = self.get(&format!("v1/refunds/{psp_ref}"));
        known_currency(self.call::<wire::Refund>("show_refund", request).await?.report())
    }

    /// Looks for a refund whose answer was lost so long ago that its key may be forgotten.
    pub async fn find_refund(&self, refund: &Refund, payment_ref: &str) -> Answer<Option<RefundReport>> {
        let request = self.get(&format!("v1/refunds?payment_intent={payment_ref}&limit=100"));
        let list: wire::List<wire::Refund> = self.call("find_refund", request).await?;
        for found in list.data {
            let report = known_currency(found.report())?;
            if report.refund_id == Some(refund.id) {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(reqwest::Method::GET, path)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.request(reqwest::Method::POST, path)
    }

    fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let base = self.config.base.as_str().trim_end_matches('/');
        self.http
            .request(method, format!("{base}/{path}"))
            .bearer_auth(self.config.key.expose())
            .header("stripe-version", API_VERSION)
    }

    /// A call that answers with an intent, or refuses because of the state of one: both say where it stands.
    async fn intent(&self, operation: &'static str, request: RequestBuilder) -> Answer<Report> {
        match self.send(operation, request).await? {
            Sent::Done(body) => known_currency(parse::<wire::Intent>(&body)?.report()),
            Sent::Refused(error) => match error.payment_intent {
                Some(intent) => {
                    let mut report = known_currency(intent.report())?;
                    if error.kind == "card_error" {
                        report.news = News::Declined;
                    }
                    Ok(report)
                }
                None => Err(refusal(error.kind, error.code, error.message)),
            },
        }
    }

    async fn call<T: DeserializeOwned>(&self, operation: &'static str, request: RequestBuilder) -> Answer<T> {
        match self.send(operation, request).await? {
            Sent::Done(body) => parse(&body),
            Sent::Refused(error) => Err(refusal(error.kind, error.code, error.message)),
        }
    }

    async fn send(&self, operation: &'static str, request: RequestBuilder) -> Answer<Sent> {
        let _permit = self.window.acquire().await.map_err(|closed| unknown(&closed))?;
        let started = Instant::now();
        // The provider is told nothing of the trace: it is not ours.
        let span = tracing::info_span!(
            "provider",
            otel.kind = "client",
            otel.name = format!("provider {operation}"),
            otel.status_code = tracing::field::Empty,
            peer.service = "payment provider",
            operation,
            outcome = tracing::field::Empty,
        );
        let sent = exchange(request).instrument(span.clone()).await;
        let outcome = match &sent {
            Ok(Sent::Done(_)) => "ok",
            Ok(Sent::Refused(_)) => "refused",
            Err(_) => "unknown",
        };
        span.record("outcome", outcome);
        if sent.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        let took = started.elapsed().as_secs_f64();
        service_kit::metrics::observe(&self.seconds, &[operation, outcome], took);
        sent
    }
}

enum Sent {
    Done(Vec<u8>),
    Refused(Box<wire::ErrorObject>),
}

async fn exchange(request: RequestBuilder) -> Answer<Sent> {
    let response = request
        .send()
        .await
        .map_err(|error| unknown(&error.without_url()))?;
    let status = response.status();
    let body = response
        .bytes()
        .await
        .map_err(|error| unknown(&error.without_url()))?;
    if status.is_success() {
        return Ok(Sent::Done(body.to_vec()));
    }
    // 401 and 403 are a wrong key of ours, 409 a twin in flight, 429 and 5xx weather: none says anything definite.
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND => {
            Ok(Sent::Refused(Box::new(parse::<wire::ErrorBody>(&body)?.error)))
        }
        _ => Err(ProviderError::Unknown(format!("status {status}"))),
    }
}

fn create_form<'a>(payment: &Payment, terms: &Terms) -> Form<'a> {
    vec![
        ("amount", terms.amount.amount_minor.to_string()),
        ("currency", terms.amount.currency.as_str().to_ascii_lowercase()),
        ("payment_method", terms.method.clone()),
        ("automatic_payment_methods[enabled]", "true".to_owned()),
        ("automatic_payment_methods[allow_redirects]", "never".to_owned()),
        ("metadata[order_id]", payment.order_id.to_string()),
        ("metadata[payment_id]", payment.id.to_string()),
    ]
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    serde_json::from_slice(body).map_err(|error| unknown(&error))
}

fn refusal(kind: String, code: Option<String>, message: Option<String>) -> ProviderError {
    if kind == "idempotency_error" {
        return ProviderError::KeyReused;
    }
    ProviderError::Refused {
        code: code.unwrap_or(kind),
        message: message.unwrap_or_default(),
    }
}

fn known_currency<T>(report: Result<T, UnknownCurrency>) -> Answer<T> {
    report.map_err(|error| unknown(&error))
}

fn unknown(error: &dyn std::error::Error) -> ProviderError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    ProviderError::Unknown(text)
}
