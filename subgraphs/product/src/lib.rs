//! The catalogue: products, variants, prices, categories.
//!
//! Owns what is sold, what it is called and what it costs. Must not know how much is in stock, who buys, or what
//! anybody paid: an order keeps its own copy of title and price.

pub mod app;
pub mod config;
pub mod domain;
pub mod graphql;
pub mod rest;
pub mod store;

use std::time::Duration;

use anyhow::Context as _;
use graphql_kit::RateLimits;
use pg_kit::Purpose;
use service_auth::{ServiceVerifier, UserVerifier};
use service_kit::{Clock, Host, Listener};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use config::Config;
use store::cache::{Cache, RESPONSE_TIMEOUT};

const FORGET_KEYS_EVERY: Duration = Duration::from_hours(1);

/// The database's schema.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// What the use cases work with; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database: the truth.
    pub pool: PgPool,
    /// Short-lived copies of it.
    pub cache: Cache,
    /// The time.
    pub clock: Clock,
}

/// Connects the stores and brings the schema up to date.
pub async fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let pool = pg_kit::connect(&config.database_url, host, Purpose::Requests)
        .await
        .context("can't reach the database")?;
    pg_kit::migrate(&pool, &MIGRATOR)
        .await
        .context("can't migrate the database")?;
    store::plan_with_values(&pool).await?;
    let cache = Cache::try_new(config.redis_url.expose(), "product", RESPONSE_TIMEOUT)
        .context("REDIS_URL is not usable")?;
    Ok(App {
        pool,
        cache,
        clock: host.clock.clone(),
    })
}

/// Starts the service and returns what it listens on.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let app = build(&config, &host).await?;
    let users = UserVerifier::new(config.users, host.clock.clone());
    let services = ServiceVerifier::from_dir(host.service, &config.identity.keys_dir, host.clock.clone())
        .context("SERVICE_KEYS_DIR is not usable")?;
    let limits = RateLimits::try_new(
        &config.redis_url,
        "product:",
        config.http.rates,
        host.clock.clone(),
    )?;
    let settings = config
        .http
        .with_users(users)
        .limited(limits)
        .shedding(host.admission.clone());
    let graphql = graphql_kit::router(graphql::schema(&app), settings);
    let internal = rest::router(app.clone(), &services);
    host.spawn("forget_keys", housekeeping(app, host.clone()));
    Ok(vec![
        Listener::new("graphql", config.listeners.graphql, graphql),
        Listener::new("internal", config.listeners.internal, internal),
    ])
}

/// Forgets old idempotency keys now and then, until the host stops.
async fn housekeeping(app: App, host: Host) {
    while host
        .shutdown
        .run_until_cancelled(tokio::time::sleep(FORGET_KEYS_EVERY))
        .await
        .is_some()
    {
        match app::forget_keys::forget_keys(&app).await {
            Ok(count) => tracing::debug!(count, "forgot idempotency keys"),
            Err(error) => tracing::warn!(%error, source = %error.source, "keys were not forgotten"),
        }
    }
}
