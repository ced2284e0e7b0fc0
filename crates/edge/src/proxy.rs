//! Passes requests on, unread and unbuffered, and WebSockets as they are. Must not know what they say.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use dev_stack::stack::STAFF_PATH;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use service_kit::trace;
use tokio_util::sync::CancellationToken;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longer than the router's own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Below the keep-alive of the servers behind.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Headers that speak of one connection and not of the message.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

const CORRELATION_ID: HeaderName = HeaderName::from_static(service_kit::correlation::HEADER);
const TRACEPARENT: HeaderName = HeaderName::from_static(trace::HEADER);
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A server behind the edge, and what it is called when it can't be reached.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    authority: String,
    /// The path there.
    path: Cow<'static, str>,
    name: &'static str,
    /// Whether it takes WebSockets.
    upgrades: bool,
}

impl Upstream {
    pub(crate) fn graph(authority: &str) -> Self {
        Self {
            authority: authority.to_owned(),
            path: "/graphql".into(),
            name: "The graph",
            upgrades: false,
        }
    }

    pub(crate) fn staff(authority: &str) -> Self {
        Self {
            authority: authority.to_owned(),
            path: STAFF_PATH.into(),
            name: "The staff's graph",
            upgrades: false,
        }
    }

    pub(crate) fn live(authority: &str, path: String) -> Self {
        Self {
            authority: authority.to_owned(),
            path: path.into(),
            name: "Live progress",
            upgrades: true,
        }
    }

    pub(crate) fn keys(authority: &str) -> Self {
        Self {
            authority: authority.to_owned(),
            path: "/.well-known/jwks.json".into(),
            name: "The key set",
            upgrades: false,
        }
    }

    /// Only the query comes from outside: no request chooses its own server or path.
    fn uri(&self, asked: &Uri) -> Result<Uri, http::Error> {
        let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
        Uri::builder()
            .scheme("http")
            .authority(self.authority.as_str())
            .path_and_query(format!("{}{query}", self.path))
            .build()
    }
}

/// Connections to the servers behind; cheap to clone.
#[derive(Clone)]
pub(crate) struct Proxy {
    client: Client<HttpConnector, Body>,
    shutdown: CancellationToken,
}

impl Proxy {
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self { client, shutdown }
    }

    /// Passes everything on to `upstream`.
    pub(crate) fn to(&self, upstream: Upstream) -> MethodRouter {
        let proxy = self.clone();
        any(move |request: Request| {
            let (proxy, upstream) = (proxy.clone(), upstream.clone());
            async move { proxy.forward(&upstream, request).await }
        })
    }

    async fn forward(&self, upstream: &Upstream, mut request: Request) -> Response {
        let upgrade = if upstream.upgrades && is_websocket(request.headers()) {
            Some(hyper::upgrade::on(&mut request))
        } else {
            None
        };
        let Ok(uri) = upstream.uri(request.uri()) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        prepare(&mut request, upgrade.is_some());
        match tokio::time::timeout(ANSWER_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(answer)) => match upgrade {
                Some(upgrade) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    self.join(upgrade, answer)
                }
                _ => pass_back(answer.map(Body::new)),
            },
            Ok(Err(error)) => {
                tracing::warn!(upstream = upstream.name, %error, "not reached");
                unreachable(upstream, StatusCode::BAD_GATEWAY)
            }
            Err(_) => unreachable(upstream, StatusCode::GATEWAY_TIMEOUT),
        }
    }

    /// Answers the upgrade and carries bytes both ways until one side ends or the edge stops.
    fn join(&self, browser: OnUpgrade, mut answer: Response<hyper::body::Incoming>) -> Response {
        let server = hyper::upgrade::on(&mut answer);
        let stop = self.shutdown.clone();
        tokio::spawn(async move {
            let (Ok(browser), Ok(server)) = tokio::join!(browser, server) else {
                return;
            };
            let (mut browser, mut server) = (TokioIo::new(browser), TokioIo::new(server));
            let both = tokio::io::copy_bidirectional(&mut browser, &mut server);
            // A connection that breaks off is how most of them end.
            let _ = stop.run_until_cancelled(both).await;
        });
        let (parts, _) = answer.into_parts();
        Response::from_parts(parts, Body::empty())
    }
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Takes off what was meant for us, and says who asked: what a client says about that itself is not believed.
fn prepare(request: &mut Request, upgrade: bool) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
    let headers = request.headers_mut();
    strip_hop_by_hop(headers);
    let host = headers.remove(header::HOST);
    if upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    headers.remove(header::FORWARDED);
    headers.remove(FORWARDED_FOR);
    if let Some(ConnectInfo(peer)) = peer
        && let Ok(value) = HeaderValue::from_str(&peer.ip().to_string())
    {
        headers.insert(FORWARDED_FOR, value);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    // The id that the browser is told is the one that the logs behind have.
    if let Some(id) = service_kit::correlation::current().and_then(|id| HeaderValue::from_str(&id).ok()) {
        headers.insert(CORRELATION_ID, id);
    }
    // The edge has a span of its own between the browser and what is behind.
    if let Some(here) = trace::current_traceparent().and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(TRACEPARENT, here);
    }
    match host {
        Some(host) => headers.insert(FORWARDED_HOST, host),
        None => headers.remove(FORWARDED_HOST),
    };
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn pass_back(mut answer: Response) -> Response {
    strip_hop_by_hop(answer.headers_mut());
    answer
}

/// An answer that clients of the graph understand.
fn unreachable(upstream: &Upstream, status: StatusCode) -> Response {
    let body = serde_json::json!({ "errors": [{
        "message": format!("{} can't be reached right now", upstream.name),
        "extensions": { "code": "UNAVAILABLE" },
    }] });
    (status, axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_query_comes_from_outside() {
        let upstream = Upstream::graph("127.0.0.1:4000");
        let asked = "http://evil.example/elsewhere?query=%7Bme%7D".parse().unwrap();
        assert_eq!(
            upstream.uri(&asked).unwrap().to_string(),
            "http://127.0.0.1:4000/graphql?query=%7Bme%7D"
        );
    }

    #[test]
    fn who_asked_is_told_by_us_alone() {
        let mut request = Request::builder()
            .header("host", "shop.example")
            .header("x-forwarded-for", "10.0.0.1")
            .header("connection", "x-secret, keep-alive")
            .header("x-secret", "1")
            .body(Body::empty())
            .unwrap();
        let peer: SocketAddr = "127.0.0.1:50000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        prepare(&mut request, false);
        assert_eq!(request.headers()["x-forwarded-for"], "127.0.0.1");
        assert_eq!(request.headers()["x-forwarded-host"], "shop.example");
        for gone in ["x-secret", "connection", "host"] {
            assert!(!request.headers().contains_key(gone), "{gone}");
        }
    }
}
