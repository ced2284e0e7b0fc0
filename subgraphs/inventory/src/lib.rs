//! Inventory owns stock: how many units of each SKU there are, who holds them, who bought them.
//!
//! Orders reserve, confirm, release and restock over REST; shoppers see availability in the graph; holds end by
//! themselves. It must not know products, prices, carts or payments.

mod app;
mod config;
mod domain;
mod events;
mod graphql;
mod rest;
mod store;
mod sweeper;

use axum::Router;
use contracts::EventData;
use contracts::inventory::ReservationExpired;
use event_bus::{Bus, RelayHandle, Retention};
use graphql_kit::{HttpConfig, RateLimits};
use pg_kit::Purpose;
use service_auth::{ServiceVerifier, UserVerifier};
use service_kit::{Clock, Host, Listener};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

use app::together::Together;

pub use config::Config;
pub use graphql::{InventorySchema, schema, sdl};
pub use sweeper::Sweeper;

/// The migrations of inventory's database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// What the use cases work on.
#[derive(Clone)]
pub struct App {
    pool: PgPool,
    workers: PgPool,
    clock: Clock,
    low_stock: i32,
    relay: Option<RelayHandle>,
    together: Together,
}

impl App {
    /// An app over a migrated database: one pool for requests, one for workers.
    pub fn new(pool: PgPool, workers: PgPool, clock: Clock, low_stock: i32) -> Self {
        Self {
            together: Together::new(pool.clone(), config::RESERVE_BATCH),
            pool,
            workers,
            clock,
            low_stock,
            relay: None,
        }
    }

    /// The same, but up to `most` reservations share a transaction; 1: each has its own.
    #[must_use]
    pub fn with_batches_of(self, most: usize) -> Self {
        Self {
            together: Together::new(self.pool.clone(), most),
            ..self
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

    /// Tells the relay that there are events to publish.
    fn announce(&self) {
        if let Some(relay) = &self.relay {
            relay.wake();
        }
    }
}

/// Connects, migrates and starts the relay.
pub async fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let pool = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    let workers = pg_kit::connect(&config.database_url, host, Purpose::Workers).await?;
    pg_kit::migrate(&workers, &MIGRATOR).await?;
    let bus = Bus::connect(&config.amqp_url, host);
    let relay = Some(bus.run_relay(workers.clone(), &[ReservationExpired::TYPE]));
    Ok(App {
        relay,
        ..App::new(pool, workers, host.clock.clone(), config.low_stock).with_batches_of(config.reserve_batch)
    })
}

/// Builds the app, starts its workers and answers what to serve.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let app = build(&config, &host).await?;
    let callers = ServiceVerifier::from_dir("inventory", &config.identity.keys_dir, host.clock.clone())?;
    let users = UserVerifier::new(config.users, host.clock.clone());
    let limits = RateLimits::try_new(
        &config.redis_url,
        "inventory:",
        config.http.rates,
        host.clock.clone(),
    )?;
    let sweeper = Sweeper::new(app.clone());
    event_bus::run_pruner(app.workers.clone(), &host, Retention::default());
    host.spawn("key sweeper", sweeper.clone().forget_keys(host.clone()));
    host.spawn("sweeper", sweeper.run(host.clone(), config.sweep));
    Ok(vec![
        Listener::new(
            "graphql",
            config.listeners.graphql,
            app.graphql(
                config
                    .http
                    .with_users(users)
                    .limited(limits)
                    .shedding(host.admission),
            ),
        ),
        Listener::new("internal", config.listeners.internal, app.rest(&callers)),
    ])
}
