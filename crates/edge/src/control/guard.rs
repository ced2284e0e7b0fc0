//! Who may pull plugs: an administrator, from this machine, from this very page.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};
use service_auth::{AuthError, Role};

use super::Control;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) async fn check(State(control): State<Control>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
    let from_here = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
    if !from_here || !from_our_page(request.method(), request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "only this page, on this machine");
    }
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else {
        return refuse(StatusCode::UNAUTHORIZED, "sign in first");
    };
    match control.verifier.verify(token).await {
        Ok(user) if user.has(Role::Admin) => next.run(request).await,
        Ok(_) => refuse(StatusCode::FORBIDDEN, "for administrators"),
        Err(AuthError::Unavailable) => refuse(StatusCode::SERVICE_UNAVAILABLE, "auth can't be asked"),
        Err(_) => refuse(StatusCode::UNAUTHORIZED, "sign in again"),
    }
}

/// A name that leads here by somebody else's DNS, or another site's script, is turned away before anything else.
fn from_our_page(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(&header::HOST).filter(|host| is_loopback_name(host)) else {
        return false;
    };
    let origin_fits = match text(&header::ORIGIN) {
        Some(origin) => origin == format!("http://{host}"),
        None => method == Method::GET,
    };
    origin_fits && text(&FETCH_SITE).is_none_or(|site| site == "same-origin")
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(serde_json::json!({ "message": why }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(method: &Method, headers: &[(&str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        from_our_page(method, &headers)
    }

    #[test]
    fn only_this_page_gets_through() {
        let host = ("host", "127.0.0.1:8080");
        let here = ("origin", "http://127.0.0.1:8080");
        assert!(ours(&Method::POST, &[host, here]));
        assert!(ours(&Method::GET, &[("host", "localhost:8080")]));
        assert!(!ours(&Method::POST, &[host]), "a write names its origin");
        assert!(!ours(&Method::POST, &[host, ("origin", "http://127.0.0.1:9")]));
        assert!(!ours(&Method::GET, &[("host", "rebound.example:8080")]));
        assert!(!ours(&Method::GET, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!ours(&Method::GET, &[]));
    }
}
