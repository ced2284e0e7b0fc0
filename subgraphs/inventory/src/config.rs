//! What inventory takes from the environment.

use std::time::Duration;

use graphql_kit::HttpSettings;
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};

/// Reservations that share a transaction at most, when nobody says otherwise.
pub(crate) const RESERVE_BATCH: usize = 64;

/// Everything inventory is told from outside.
#[derive(Debug)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `DATABASE_URL` (or `DATABASE_URL_FILE`).
    pub database_url: Secret,
    /// `AMQP_URL` (or `AMQP_URL_FILE`).
    pub amqp_url: Secret,
    /// `REDIS_URL` (or `REDIS_URL_FILE`): API limits; may be down.
    pub redis_url: Secret,
    /// `GATEWAY_KEY`, `MERCATO_ENV`, `API_RATES`.
    pub http: HttpSettings,
    /// `JWKS_URL`, `JWT_ISSUER`, `JWT_AUDIENCE`.
    pub users: UserVerifierConfig,
    /// `SERVICE_KEY_FILE`, `SERVICE_KEYS_DIR`.
    pub identity: ServiceIdentityConfig,
    /// `LOW_STOCK_THRESHOLD` (5): so many units or fewer are shown as LOW_STOCK.
    pub low_stock: i32,
    /// `SWEEP_MS` (1000): how often expired holds are looked for.
    pub sweep: Duration,
    /// `RESERVE_BATCH` (64): how many reservations of a hot SKU share a transaction; 1: each has its own.
    pub reserve_batch: usize,
}

impl Config {
    /// Reads all of it, or names all faults.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let database_url = env.secret("DATABASE_URL");
        let amqp_url = env.secret("AMQP_URL");
        let redis_url = env.secret("REDIS_URL");
        let http = HttpSettings::from_env(env);
        let users = UserVerifierConfig::from_env(env);
        let identity = ServiceIdentityConfig::from_env(env);
        let low_stock = env.optional("LOW_STOCK_THRESHOLD", 5);
        let sweep_ms = env.optional("SWEEP_MS", 1000);
        let reserve_batch = env.optional("RESERVE_BATCH", RESERVE_BATCH);
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                database_url: database_url?,
                amqp_url: amqp_url?,
                redis_url: redis_url?,
                http: http?,
                users: users?,
                identity: identity?,
                low_stock: low_stock?,
                sweep: Duration::from_millis(sweep_ms?),
                reserve_batch: reserve_batch?,
            })
        })
    }
}
