//! Cart owns what shoppers have chosen and not yet ordered, guests and users alike, in Redis.
//!
//! It asks product for prices whenever a cart is read or changed, and hands order the lines at checkout. It must not
//! know stock, orders or payments, and no price in it is ever charged.

mod app;
mod clients;
mod config;
mod domain;
mod graphql;
mod rest;
mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::UserId;
use graphql_kit::{HttpConfig, RateLimits};
use service_auth::{ClientLimits, ServiceClient, ServiceKey, ServiceVerifier, UserVerifier};
use service_kit::{Clock, Host, Listener};

pub use clients::product::ProductClient;
pub use config::Config;
use domain::Cart;
pub use graphql::{CartSchema, schema, sdl};
pub use store::{Settings, Store};

/// How long a cart is kept after its last change.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A guest's.
    pub guest: Duration,
    /// A user's.
    pub user: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            guest: Duration::from_hours(14 * 24),
            user: Duration::from_hours(90 * 24),
        }
    }
}

/// What the use cases work on.
#[derive(Clone)]
pub struct App {
    store: Store,
    product: ProductClient,
    clock: Clock,
    lifetimes: Lifetimes,
}

impl App {
    /// An app over a store and a way to ask product.
    pub fn new(store: Store, product: ProductClient, clock: Clock, lifetimes: Lifetimes) -> Self {
        Self {
            store,
            product,
            clock,
            lifetimes,
        }
    }

    /// The routes of the internal listener.
    pub fn rest(&self, callers: &ServiceVerifier) -> Router {
        rest::router(self.clone(), callers)
    }

    /// The routes of the GraphQL listener.
    pub fn graphql(&self, config: HttpConfig) -> Router {
        graphql_kit::router(schema(self.clone()), config)
    }

    /// How long a cart of this owner is kept.
    fn lifetime(&self, owner: Option<UserId>) -> Duration {
        if owner.is_some() {
            self.lifetimes.user
        } else {
            self.lifetimes.guest
        }
    }

    /// When `after` was begun, if it was with the change from `before`: now that it has a first line.
    fn begun(&self, before: Option<&Cart>, after: &Cart) -> Option<DateTime<Utc>> {
        let was_empty = before.is_none_or(|cart| cart.lines.is_empty());
        (was_empty && !after.lines.is_empty()).then(|| self.clock.now())
    }

    /// When a cart of this owner ends if it is not changed again.
    fn expiry(&self, owner: Option<UserId>) -> DateTime<Utc> {
        let now = self.clock.now();
        TimeDelta::from_std(self.lifetime(owner)).map_or(now, |lifetime| now + lifetime)
    }
}

/// Connects to what cart needs.
pub fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let store = Store::connect(&config.store)?;
    let key = Arc::new(ServiceKey::from_pem_file("cart", &config.identity.key_file)?);
    let client = ServiceClient::new(
        "product",
        config.product_url.clone(),
        key,
        ClientLimits::default(),
    );
    Ok(App::new(
        store,
        ProductClient::new(client),
        host.clock.clone(),
        config.lifetimes,
    ))
}

/// Builds the app, starts its watch and answers what to serve.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let app = build(&config, &host)?;
    let callers = ServiceVerifier::from_dir("cart", &config.identity.keys_dir, host.clock.clone())?;
    let users = UserVerifier::new(config.users, host.clock.clone());
    let redis = &config.store.url;
    let limits = RateLimits::try_new(redis, "cart:", config.http.rates, host.clock.clone())?;
    host.spawn("redis watch", app.store.clone().watch(host.clone()));
    Ok(vec![
        Listener::new(
            "graphql",
            config.listeners.graphql,
            app.graphql(config.http.with_users(users).limited(limits)),
        ),
        Listener::new("internal", config.listeners.internal, app.rest(&callers)),
    ])
}
