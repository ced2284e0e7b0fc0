//! Owns what people are told: notifications in the shop, mails, and what each person wants of them.
//!
//! Must not know how an order goes on or where somebody is written to: order and payment tell, auth is asked when a mail
//! is sent.

mod app;
mod clients;
mod config;
pub mod domain;
pub mod events;
pub mod graphql;
mod store;

use std::sync::Arc;

use contracts::{EventData, notification};
use event_bus::{Bus, InboxWorker, Retention};
use graphql_kit::{RateLimits, WsConfig};
use pg_kit::Purpose;
use service_auth::{ServiceKey, UserVerifier};
use service_kit::{Host, Listener};
use sqlx::migrate::Migrator;

pub use app::{App, AppError, Forgotten, Parts, Policy};
pub use clients::{Auth, Mailer, SmtpConfig};
pub use config::Config;
pub use graphql::{live_schema, schema, sdl};

/// The migrations of its database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Connects, migrates and puts the parts together; starts the outbox relay and the tap, nothing else.
pub async fn build(config: &Config, bus: &Bus, host: &Host) -> anyhow::Result<App> {
    let requests = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    let workers = pg_kit::connect(&config.database_url, host, Purpose::Workers).await?;
    pg_kit::migrate(&workers, &MIGRATOR).await?;
    let key = ServiceKey::from_pem_file(host.service, &config.identity.key_file)?;
    let parts = Parts {
        relay: bus.run_relay(workers.clone(), &[notification::NotificationCreated::TYPE]),
        told: bus.tap(notification::EXCHANGE, notification::NotificationCreated::TYPE),
        auth: Auth::new(config.auth_url.clone(), Arc::new(key)),
        mailer: Mailer::try_new(config.smtp.clone())?,
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
    let limits = RateLimits::try_new(
        &config.redis_url,
        "notification:",
        config.http.rates,
        host.clock.clone(),
    )?;
    let live = WsConfig::new(users.clone(), config.allowed_origins)
        .limited(limits.clone())
        .at(LIVE_PATH);
    let live = graphql_kit::ws_router(live_schema(app.clone()), live, &host);
    let settings = config
        .http
        .with_users(users)
        .limited(limits)
        .shedding(host.admission);
    // A router that federates subscriptions reaches both at one address.
    let graphql = graphql_kit::router(schema(app), settings).merge(live.clone());
    Ok(vec![
        Listener::new("graphql", config.listeners.graphql, graphql),
        Listener::new("internal", config.listeners.internal, axum::Router::new()),
        Listener::new("public", config.public_addr, live),
    ])
}

/// Where the WebSocket is. Browsers find all services on one origin, and `/graphql/ws` is order's.
pub const LIVE_PATH: &str = "/graphql/ws/notification";

/// Hears order and payment, each through an inbox of its own.
pub fn hear(app: &App, bus: &Bus, host: &Host) {
    for spec in [events::ORDER_EVENTS, events::PAYMENT_EVENTS] {
        let door = Arc::new(events::Door(app.clone()));
        InboxWorker::spawn(app.workers_pool().clone(), host, spec.queue, door);
        bus.run_consumer(app.workers_pool().clone(), spec);
    }
    event_bus::run_pruner(app.workers_pool().clone(), host, Retention::default());
}
