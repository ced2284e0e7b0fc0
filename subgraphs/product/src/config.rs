//! What the service takes from its environment.

use graphql_kit::HttpSettings;
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`: where it listens.
    pub listeners: Listeners,
    /// `GATEWAY_KEY`, `MERCATO_ENV`, `API_RATES`: who may call the GraphQL listener, how much it says, how often.
    pub http: HttpSettings,
    /// `JWKS_URL`, `JWT_ISSUER`, `JWT_AUDIENCE`: whose user tokens it believes.
    pub users: UserVerifierConfig,
    /// `SERVICE_KEYS_DIR`: public keys of the services that may call it; `SERVICE_KEY_FILE`: its own key.
    pub identity: ServiceIdentityConfig,
    /// `DATABASE_URL`: its own PostgreSQL database.
    pub database_url: Secret,
    /// `REDIS_URL`: the Redis of its read cache and of API limits, which may be down.
    pub redis_url: Secret,
}

impl Config {
    /// Reads everything, and names all faults at once.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let http = HttpSettings::from_env(env);
        let users = UserVerifierConfig::from_env(env);
        let identity = ServiceIdentityConfig::from_env(env);
        let database_url = env.secret("DATABASE_URL");
        let redis_url = env.secret("REDIS_URL");
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                http: http?,
                users: users?,
                identity: identity?,
                database_url: database_url?,
                redis_url: redis_url?,
            })
        })
    }
}
