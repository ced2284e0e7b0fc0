//! Owns outbound webhooks: where events of orders are sent, with which secret they are signed, and what became of each.
//!
//! Must not know how an order goes on: order and payment tell, and what they tell is sent on as they spell it.

mod app;
mod clients;
mod config;
pub mod domain;
pub mod events;
pub mod graphql;
mod store;
mod vault;

use std::sync::Arc;

use event_bus::{Bus, InboxWorker, Retention};
use graphql_kit::RateLimits;
use pg_kit::Purpose;
use service_auth::UserVerifier;
use service_kit::{Host, Listener};
use sqlx::migrate::Migrator;

pub use app::{App, AppError, Parts, Policy};
pub use clients::Sender;
pub use config::Config;
pub use graphql::{schema, sdl};
pub use vault::Vault;

/// The migrations of its database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Connects, migrates and puts the parts together; starts nothing.
pub async fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let requests = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    let workers = pg_kit::connect(&config.database_url, host, Purpose::Workers).await?;
    pg_kit::migrate(&workers, &MIGRATOR).await?;
    let parts = Parts {
        sender: Sender::try_new(config.reach, config.policy.patience)?,
        vault: config.vault.clone(),
        policy: config.policy,
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
    let limits = RateLimits::try_new(
        &config.redis_url,
        "webhook:",
        config.http.rates,
        host.clock.clone(),
    )?;
    let settings = config
        .http
        .with_users(UserVerifier::new(config.users, host.clock.clone()))
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
        let door = Arc::new(events::Door(app.clone()));
        InboxWorker::spawn(app.workers_pool().clone(), host, spec.queue, door);
        bus.run_consumer(app.workers_pool().clone(), spec);
    }
    event_bus::run_pruner(app.workers_pool().clone(), host, Retention::default());
}
