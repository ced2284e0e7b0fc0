//! Systems of others, behind a real socket: each path is an endpoint of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use standardwebhooks::Webhook;
use test_kit::TestServer;

/// What was received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the official library lets it through.
    pub(crate) fn verified_by(&self, secret: &str) -> bool {
        let webhook = Webhook::new(secret).unwrap();
        webhook.verify(&self.body, &self.headers).is_ok()
    }
}

/// How a path answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<&'static str>,
    pub(crate) location: Option<String>,
    pub(crate) says: String,
    pub(crate) takes: Duration,
}

impl Manner {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }
}

#[derive(Default)]
struct Book {
    received: Vec<Received>,
    manners: HashMap<String, Manner>,
    at_once: HashMap<String, (usize, usize)>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Book>>);

pub(crate) struct Receiver {
    server: TestServer,
    book: Shared,
}

impl Receiver {
    pub(crate) async fn new() -> Self {
        let book = Shared::default();
        let router = Router::new()
            .route("/{path}", post(receive))
            .with_state(book.clone());
        Self {
            server: TestServer::serve(router).await,
            book,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path).into()
    }

    pub(crate) fn set(&self, path: &str, manner: Manner) {
        let mut book = self.book.0.lock().unwrap();
        book.manners.insert(path.to_owned(), manner);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.book.0.lock().unwrap().received.clone()
    }

    pub(crate) fn at(&self, path: &str) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|received| received.path == path);
        received
    }

    /// The most requests that were at a path at the same time.
    pub(crate) fn most_at_once(&self, path: &str) -> usize {
        let book = self.book.0.lock().unwrap();
        book.at_once.get(path).map_or(0, |(_, most)| *most)
    }
}

async fn receive(
    State(book): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let manner = {
        let mut book = book.0.lock().unwrap();
        let (now, most) = book.at_once.entry(path.clone()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        book.received.push(Received {
            path: path.clone(),
            headers,
            body,
        });
        book.manners.get(&path).cloned().unwrap_or_default()
    };
    // Whoever hangs up drops this future: the place is free again all the same.
    let _place = Place(&book, &path);
    tokio::time::sleep(manner.takes).await;
    let status = StatusCode::from_u16(manner.status.unwrap_or(204)).unwrap();
    let mut response = (status, manner.says).into_response();
    if let Some(retry_after) = manner.retry_after {
        let value = retry_after.parse().unwrap();
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    if let Some(location) = manner.location {
        let value = location.parse().unwrap();
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

struct Place<'a>(&'a Shared, &'a str);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut book = self.0.0.lock().unwrap();
        if let Some((now, _)) = book.at_once.get_mut(self.1) {
            *now -= 1;
        }
    }
}
