//! A sandbox on a free port, a merchant that listens for its webhooks, and a client.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use psp_sandbox::{Endpoint, Sandbox, Settings};
use serde_json::Value;
use service_kit::{Clock, Secret};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

pub(crate) const KEY: &str = "sk_test_sandbox";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_sandbox";

/// A webhook as the merchant got it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Merchant {
    received: Arc<Mutex<Vec<Received>>>,
    refusals: Arc<Mutex<usize>>,
}

impl Merchant {
    pub(crate) fn refuse_next(&self, times: usize) {
        *self.refusals.lock().unwrap() = times;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Types of the events received, in order.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let kind = |received: &Received| received.json()["type"].as_str().unwrap().to_owned();
        self.received().iter().map(kind).collect()
    }

    /// Waits until that many webhooks came.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let arrived = async {
            while self.received().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), arrived).await;
        assert!(came.is_ok(), "only {:?} arrived", self.kinds());
        self.received()
    }
}

async fn receive(State(merchant): State<Merchant>, headers: HeaderMap, body: Bytes) -> StatusCode {
    {
        let mut refusals = merchant.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    }
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    merchant
        .received
        .lock()
        .unwrap()
        .push(Received { signature, body });
    StatusCode::OK
}

/// Everything a test needs; stops with the test.
pub(crate) struct World {
    pub(crate) base: Url,
    pub(crate) merchant: Merchant,
    pub(crate) http: reqwest::Client,
    _stop: DropGuard,
}

async fn serve(router: Router, stop: CancellationToken) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        drop(server.await);
    });
    base
}

impl World {
    pub(crate) async fn start(folder: &Path) -> Self {
        let settings = Settings {
            slow_ms: 50,
            late_ms: 50,
            hang_ms: 60_000,
            ..Settings::default()
        };
        Self::start_with(folder, settings, Clock::system()).await
    }

    pub(crate) async fn start_with(folder: &Path, settings: Settings, clock: Clock) -> Self {
        let stop = CancellationToken::new();
        let merchant = Merchant::default();
        let hooks = Router::new()
            .route("/hooks", post(receive))
            .with_state(merchant.clone());
        let hooks = serve(hooks, stop.clone()).await.join("/hooks").unwrap();
        let endpoint = Endpoint {
            url: hooks,
            secret: Secret::new(WEBHOOK_SECRET),
        };
        let sandbox = Sandbox::open(folder, settings, clock).unwrap();
        tokio::spawn(psp_sandbox::webhook::run(
            sandbox.clone(),
            Some(endpoint),
            stop.clone(),
        ));
        let router = psp_sandbox::router(sandbox, Secret::new(KEY), stop.clone());
        let base = serve(router, stop.clone()).await;
        let http = service_kit::http::client(Duration::from_secs(5));
        Self {
            base,
            merchant,
            http,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn request(&self, method: http::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, self.base.join(path).unwrap())
            .bearer_auth(KEY)
    }

    /// Posts a form; returns status, whether it was replayed, and the body.
    pub(crate) async fn post(
        &self,
        path: &str,
        key: Option<&str>,
        form: &[(&str, &str)],
    ) -> (u16, bool, Value) {
        let mut request = self.request(http::Method::POST, path).form(form);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        (status, replayed, response.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.request(http::Method::GET, path).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Creates and confirms a payment of 19.99 in one go.
    pub(crate) async fn pay(&self, method: &str) -> (u16, Value) {
        let form = [
            ("amount", "1999"),
            ("currency", "usd"),
            ("payment_method", method),
            ("confirm", "true"),
            ("metadata[order_id]", "ord_1"),
        ];
        let (status, _, body) = self.post("/v1/payment_intents", None, &form).await;
        (status, body)
    }

    pub(crate) async fn settings(&self, patch: Value) {
        let request = self
            .request(http::Method::PATCH, "/_sandbox/settings")
            .json(&patch);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}
