//! Owns what the shop sold: sums over what order and payment told, and what is bought together.
//!
//! Must not know how an order goes on nor what a product is called: it hears what happened, keeps it, and adds it up.

mod app;
mod clients;
mod config;
pub mod domain;
pub mod events;
pub mod graphql;
mod store;

use std::sync::Arc;

use event_bus::{Bus, InboxWorker, Retention};
use graphql_kit::RateLimits;
use pg_kit::Purpose;
use service_auth::{ServiceKey, UserVerifier};
use service_kit::{Host, Listener};
use sqlx::migrate::Migrator;

pub use app::{App, AppError, Begun, Parts};
pub use clients::Cart;
pub use config::Config;
pub use graphql::{schema, sdl};

/// The migrations of its database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Connects, migrates and puts the parts together; starts nothing.
pub async fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let requests = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    let workers = pg_kit::connect(&config.database_url, host, Purpose::Workers).await?;
    pg_kit::migrate(&workers, &MIGRATOR).await?;
    let key = ServiceKey::from_pem_file(host.service, &config.identity.key_file)?;
    let parts = Parts {
        cart: Cart::new(config.cart_url.clone(), Arc::new(key)),
        requests,
        workers,
    };
    Ok(App::new(parts, host))
}

/// Builds, starts the workers, and returns the listeners.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let bus = Bus::connect(&config.amqp_url, &host);
    let app = build(&config, &host).await?;
    app.run_workers();
    hear(&app, &bus, &host);
    let users = UserVerifier::new(config.users, host.clock.clone());
    let limits = RateLimits::try_new(
        &config.redis_url,
        "analytics:",
        config.http.rates,
        host.clock.clone(),
    )?;
    let settings = config
        .http
        .with_users(users)
        .limited(limits)
        .shedding(host.admission);
    let graphql = graphql_kit::router(schema(app), settings);
    Ok(vec![
        Listener::new("graphql", config.listeners.graphql, graphql),
        Listener::new("internal", config.listeners.internal, axum::Router::new()),
    ])
}

/// Hears order and payment, each through an inbox of its own.
pub fn hear(app: &App, bus: &Bus, host: &Host) {
    for spec in [events::ORDER_EVENTS, events::PAYMENT_EVENTS] {
        InboxWorker::spawn(
            app.workers_pool().clone(),
            host,
            spec.queue,
            Arc::new(events::Door),
        );
        bus.run_consumer(app.workers_pool().clone(), spec);
    }
    event_bus::run_pruner(app.workers_pool().clone(), host, Retention::default());
}
