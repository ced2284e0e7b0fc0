//! Orders and the saga that carries them.
//!
//! Owns orders, their history, and the decision what happens to each. Must not know how stock is kept or how money
//! moves: inventory and payment are asked, and tell.

mod app;
mod clients;
pub mod config;
pub mod domain;
pub mod events;
pub mod graphql;
pub mod saga;
mod store;

use std::sync::Arc;

use contracts::EventData;
use contracts::order::{OrderCreated, OrderStatusChanged};
use event_bus::{Bus, InboxWorker, Retention};
use graphql_kit::{RateLimits, WsConfig};
use pg_kit::Purpose;
use service_auth::{ServiceKey, UserVerifier};
use service_kit::{Host, Listener};
use sqlx::migrate::Migrator;

use events::{Door, Source};

pub use app::{
    App, AppError, Asked, CreateOrder, Created, Key, Parts, Policy, RefundOrder, ReturnOrder, ShipOrder,
};
pub use clients::{Addresses, Clients};
pub use config::Config;

/// The schema of the order database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Connects, migrates and puts the parts together; starts the outbox relay and the tap, nothing else.
pub async fn build(config: &Config, bus: &Bus, host: &Host) -> anyhow::Result<App> {
    let requests = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    let workers = pg_kit::connect(&config.database_url, host, Purpose::Workers).await?;
    pg_kit::migrate(&requests, &MIGRATOR).await?;
    let key = Arc::new(ServiceKey::from_pem_file(
        host.service,
        &config.identity.key_file,
    )?);
    let parts = Parts {
        relay: bus.run_relay(workers.clone(), &[OrderCreated::TYPE, OrderStatusChanged::TYPE]),
        steps: bus.tap(contracts::order::EXCHANGE, "order.status_changed.v1"),
        clients: Clients::new(config.services.clone(), &key),
        policy: config.policy,
        requests,
        workers,
    };
    Ok(App::new(parts, host))
}

/// Builds, starts the workers, and returns the listeners.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let bus = Bus::connect(&config.amqp_url, &host);
    let app = build(&config, &bus, &host).await?;
    app.run_workers();
    hear(&app, &bus, &host);
    let users = UserVerifier::new(config.users, host.clock.clone());
    let limits = RateLimits::try_new(&config.redis_url, "order:", config.http.rates, host.clock.clone())?;
    let live = WsConfig::new(users.clone(), config.allowed_origins).limited(limits.clone());
    let live = graphql_kit::ws_router(graphql::live_schema(app.clone()), live, &host);
    let settings = config
        .http
        .with_users(users)
        .limited(limits)
        .shedding(host.admission);
    // A router that federates subscriptions reaches both at one address; what it may watch, the user's token says.
    let graphql = graphql_kit::router(graphql::schema(app), settings).merge(live.clone());
    Ok(vec![
        Listener::new("graphql", config.listeners.graphql, graphql),
        Listener::new("internal", config.listeners.internal, axum::Router::new()),
        Listener::new("public", config.public_addr, live),
    ])
}

/// Hears payment and inventory, each through an inbox of its own.
pub fn hear(app: &App, bus: &Bus, host: &Host) {
    for (spec, source) in [
        (events::PAYMENT_EVENTS, Source::Payment),
        (events::INVENTORY_EVENTS, Source::Inventory),
    ] {
        let door = Arc::new(Door::new(app.clone(), source));
        InboxWorker::spawn(app.workers_pool().clone(), host, spec.queue, door);
        bus.run_consumer(app.workers_pool().clone(), spec);
    }
    event_bus::run_pruner(app.workers_pool().clone(), host, Retention::default());
}
