//! Payments, refunds and the ledger.
//!
//! Owns what was charged and given back for an order, as agreed with the payment provider, and the events that tell
//! others. Must not know what an order contains, nor decide whether it should be paid: order asks.

mod app;
pub mod clients;
pub mod config;
pub mod domain;
pub mod graphql;
pub mod rest;
mod store;

use contracts::EventData;
use contracts::payment::{PaymentFailed, PaymentSucceeded, RefundCompleted};
use event_bus::{Bus, Retention};
use graphql_kit::RateLimits;
use pg_kit::Purpose;
use service_auth::{ServiceVerifier, UserVerifier};
use service_kit::{Host, Listener};
use sqlx::migrate::Migrator;

pub use app::{Alarm, App, AppError, Pools, Settings, WebhookError};
pub use config::Config;

/// The schema of the payment database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Connects, migrates and puts the parts together; starts the outbox relay and nothing else.
pub async fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let requests = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    let workers = pg_kit::connect(&config.database_url, host, Purpose::Workers).await?;
    pg_kit::migrate(&requests, &MIGRATOR).await?;
    let relay = Bus::connect(&config.amqp_url, host).run_relay(
        workers.clone(),
        &[PaymentSucceeded::TYPE, PaymentFailed::TYPE, RefundCompleted::TYPE],
    );
    event_bus::run_pruner(workers.clone(), host, Retention::default());
    let stripe = clients::stripe::Stripe::new(config.stripe.clone());
    Ok(App::new(
        Pools { requests, workers },
        stripe,
        relay,
        config.settings.clone(),
        host,
    ))
}

/// Builds, starts the workers, and returns the listeners.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let app = build(&config, &host).await?;
    app.run_workers(&host);
    let callers = ServiceVerifier::from_dir(host.service, &config.identity.keys_dir, host.clock.clone())?;
    let users = UserVerifier::new(config.users, host.clock.clone());
    let limits = RateLimits::try_new(
        &config.redis_url,
        "payment:",
        config.http.rates,
        host.clock.clone(),
    )?;
    let settings = config
        .http
        .with_users(users)
        .limited(limits)
        .shedding(host.admission);
    let graphql = graphql_kit::router(graphql::schema(app.clone()), settings);
    Ok(vec![
        Listener::new("graphql", config.listeners.graphql, graphql),
        Listener::new(
            "internal",
            config.listeners.internal,
            rest::internal(app.clone(), &callers),
        ),
        Listener::new("public", config.public_addr, rest::public(app)),
    ])
}
