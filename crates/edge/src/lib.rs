//! One origin for browsers, as an Ingress gives in a cluster: the page, `/graphql` to the public's router,
//! `/graphql/staff` to the staff's, `/graphql/ws` to order's WebSocket,
//! `/graphql/ws/notification` to notification's, `/.well-known/jwks.json` to auth.
//!
//! Owns what a browser must be told about the page (caching, security headers) and, while developing, the plugs that
//! the control room pulls. Must not know the graph: requests pass through unread.

mod config;
mod control;
mod page;
mod proxy;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
pub use config::{Config, Development};
use dev_stack::stack::STAFF_PATH;
use service_auth::UserVerifier;
use service_kit::{Host, Listener};

use crate::control::Control;
use crate::proxy::{Proxy, Upstream};

/// Everything a browser may ask for, at one address.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let addr = config.public;
    let verifier = config
        .development
        .as_ref()
        .map(|development| UserVerifier::new(development.users.clone(), host.clock.clone()));
    Ok(vec![Listener::new(
        "public",
        addr,
        router(&config, &host, verifier),
    )])
}

/// The routes. `admins` verifies who pulls plugs; without it there are none to pull.
pub fn router(config: &Config, host: &Host, admins: Option<UserVerifier>) -> Router {
    let proxy = Proxy::new(host.shutdown.clone());
    let control = match (&config.development, admins) {
        (Some(development), Some(verifier)) => {
            control::routes(Control::new(development.folder.clone(), verifier))
        }
        // Not the page: whoever asks for it must see that there is none.
        _ => Router::new().fallback(async || StatusCode::NOT_FOUND),
    };
    let page = page::routes(&config.page, config.development.is_some());
    // In place of the file that the page was built with.
    let page = match &config.trace_viewer {
        Some(viewer) => {
            let told = serde_json::json!({ "traceViewer": viewer });
            page.route("/config.json", get(async move || Json(told)))
        }
        None => page,
    };
    let mut router = Router::new();
    for (name, authority) in &config.live {
        if let Some(path) = roster::find(name).and_then(roster::Service::live_path) {
            router = router.route(&path, proxy.to(Upstream::live(authority, path.clone())));
        }
    }
    router
        .route("/graphql", proxy.to(Upstream::graph(&config.graph)))
        .route(STAFF_PATH, proxy.to(Upstream::staff(&config.staff)))
        .route("/.well-known/jwks.json", proxy.to(Upstream::keys(&config.keys)))
        .nest("/_dev", control)
        .merge(page)
}
