//! `GET /graphql/ws`: subscriptions for browsers, by the `graphql-transport-ws` protocol, and nothing but those.
//!
//! | close | when |
//! |---|---|
//! | 1001 | the service stops |
//! | 1009 | a message larger than the cap |
//! | 1013 | a token can't be checked at present |
//! | 4400 | a message that is not of the protocol, or binary |
//! | 4401 | `subscribe` before `connection_ack` |
//! | 4403 | no or a bad token in `connection_init`, or the token expired |
//! | 4406 | the client does not offer `graphql-transport-ws` |
//! | 4408 | no `connection_init` in time |
//! | 4409 | an id that is in use |
//! | 4429 | a second `connection_init`, or too many sockets of one user |
//!
//! The token stands in the payload of `connection_init`, as `{"authorization": "Bearer ..."}`, or the same inside
//! `headers` or `connectionParams`. A socket belongs to one user.
//!
//! Nothing is buffered for a slow reader: while a message can't be written, no subscription is polled, and one that
//! does not read for ten seconds is cut off. So a subscription should reload its state when polled, not queue it.

mod protocol;
mod quota;
mod socket;

pub(crate) use protocol::read_message;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{ObjectType, Schema, SubscriptionType};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rate_limit::RateLimits;
use service_auth::UserVerifier;
use service_kit::refusal::{Door, refused};
use service_kit::{Env, Host, correlation};

use crate::metrics::Metrics;
use crate::nulls::Types;
use crate::refusals::Who;
use crate::schema::Engine;
use crate::viewer::ClientIp;
use quota::Quota;

/// The subprotocol spoken here.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Where the WebSocket is, unless a service says another place.
const PATH: &str = "/graphql/ws";

/// Bounds of sockets and subscriptions.
#[derive(Debug, Clone, Copy)]
pub struct WsLimits {
    /// Time for `connection_init`.
    pub init: Duration,
    /// Between pings; a peer silent for two and a half of them is gone.
    pub ping: Duration,
    /// Time for one message to be written.
    pub write: Duration,
    /// Largest message from a client.
    pub message_bytes: usize,
    /// Subscriptions on one socket.
    pub subscriptions_per_socket: usize,
    /// Sockets of one user.
    pub sockets_per_user: usize,
    /// Sockets in all.
    pub sockets: usize,
}

impl Default for WsLimits {
    fn default() -> Self {
        Self {
            init: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            write: Duration::from_secs(10),
            message_bytes: 64 * 1024,
            subscriptions_per_socket: 32,
            sockets_per_user: 20,
            sockets: 10_000,
        }
    }
}

/// The WebSocket endpoint's configuration.
#[derive(Clone)]
pub struct WsConfig {
    /// Verifies bearer tokens.
    pub users: UserVerifier,
    /// Origins whose pages may connect. Clients that send no Origin are not browsers and may too.
    pub allowed_origins: Vec<String>,
    /// Bounds.
    pub limits: WsLimits,
    /// How often a user may open a subscription; without, as often as they like.
    pub rates: Option<RateLimits>,
    /// Where it is served.
    pub path: &'static str,
}

impl WsConfig {
    /// A configuration with the usual limits.
    pub fn new(users: UserVerifier, allowed_origins: Vec<String>) -> Self {
        Self {
            users,
            allowed_origins,
            limits: WsLimits::default(),
            rates: None,
            path: PATH,
        }
    }

    /// The same at another path: browsers find the sockets of all services on one origin.
    #[must_use]
    pub fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// The same, with limits.
    #[must_use]
    pub fn limited(self, rates: RateLimits) -> Self {
        Self {
            rates: Some(rates),
            ..self
        }
    }

    /// Reads `ALLOWED_ORIGINS`: origins with commas between, none by default.
    pub fn origins_from_env(env: &mut Env) -> Option<Vec<String>> {
        let text = env.optional::<String>("ALLOWED_ORIGINS", String::new())?;
        let origins = text
            .split(',')
            .map(|origin| origin.trim().trim_end_matches('/').to_owned());
        Some(origins.filter(|origin| !origin.is_empty()).collect())
    }
}

struct Endpoint {
    engine: Box<dyn Engine>,
    types: Arc<Types>,
    config: WsConfig,
    host: Host,
    quota: Quota,
    metrics: Metrics,
}

/// The router of a public listener: `GET` of the configured path, `/graphql/ws` by default. Sockets are tasks of `host`, and close when it stops.
pub fn ws_router<Q, M, S>(schema: Schema<Q, M, S>, config: WsConfig, host: &Host) -> Router
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let path = config.path;
    let endpoint = Arc::new(Endpoint {
        types: Arc::new(schema.types()),
        engine: Box::new(schema),
        quota: Quota::new(config.limits.sockets, config.limits.sockets_per_user),
        config,
        host: host.clone(),
        metrics: Metrics::new(),
    });
    Router::new().route(path, get(upgrade)).with_state(endpoint)
}

async fn upgrade(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !endpoint.allows(&headers) {
        endpoint.refuse(&headers, "403", "a page of another origin");
        return (StatusCode::FORBIDDEN, "this origin may not connect\n").into_response();
    }
    if endpoint.host.shutdown.is_cancelled() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Some(place) = endpoint.quota.enter() else {
        endpoint.refuse(&headers, "503", "too many connections");
        return (StatusCode::SERVICE_UNAVAILABLE, "too many connections\n").into_response();
    };
    let id = correlation::current().unwrap_or_else(correlation::new_id);
    let limit = endpoint.config.limits.message_bytes;
    let from = ClientIp::of(&headers);
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(async move |socket| {
            let tasks = endpoint.host.tasks.clone();
            let work = tasks.track_future(socket::serve(endpoint, socket, from));
            correlation::scope(id, work).await;
            drop(place);
        })
}

impl Endpoint {
    fn refuse(&self, headers: &HeaderMap, code: &str, why: &str) {
        let who = Who(None, ClientIp::of(headers));
        refused(Door::Socket, who, self.config.path, code, why);
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        headers.get_all(ORIGIN).iter().all(|origin| {
            self.config
                .allowed_origins
                .iter()
                .any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
        })
    }
}
