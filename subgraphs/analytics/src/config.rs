//! What analytics takes from the environment.

use graphql_kit::HttpSettings;
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};
use url::Url;

/// Everything analytics is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `GATEWAY_KEY`, `MERCATO_ENV` and `API_RATES`.
    pub http: HttpSettings,
    /// `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`.
    pub users: UserVerifierConfig,
    /// `SERVICE_KEY_FILE` and `SERVICE_KEYS_DIR`.
    pub identity: ServiceIdentityConfig,
    /// `DATABASE_URL` (or `DATABASE_URL_FILE`).
    pub database_url: Secret,
    /// `AMQP_URL` (or `AMQP_URL_FILE`).
    pub amqp_url: Secret,
    /// `REDIS_URL` (or `REDIS_URL_FILE`): API limits; may be down.
    pub redis_url: Secret,
    /// `CART_URL`: cart's internal address.
    pub cart_url: Url,
}

impl Config {
    /// Reads all of it, or names all faults.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let http = HttpSettings::from_env(env);
        let users = UserVerifierConfig::from_env(env);
        let identity = ServiceIdentityConfig::from_env(env);
        let database_url = env.secret("DATABASE_URL");
        let amqp_url = env.secret("AMQP_URL");
        let redis_url = env.secret("REDIS_URL");
        let cart_url = env.required("CART_URL");
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                http: http?,
                users: users?,
                identity: identity?,
                database_url: database_url?,
                amqp_url: amqp_url?,
                redis_url: redis_url?,
                cart_url: cart_url?,
            })
        })
    }
}
