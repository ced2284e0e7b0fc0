//! What webhook takes from the environment.

use graphql_kit::HttpSettings;
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};

use crate::app::Policy;
use crate::domain::address::Reach;
use crate::vault::Vault;

/// Everything webhook is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `GATEWAY_KEY`, `MERCATO_ENV` and `API_RATES`.
    pub http: HttpSettings,
    /// `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`.
    pub users: UserVerifierConfig,
    /// `SERVICE_KEY_FILE` and `SERVICE_KEYS_DIR`, as every service is given: nobody calls webhook yet.
    pub identity: ServiceIdentityConfig,
    /// `DATABASE_URL` (or `DATABASE_URL_FILE`).
    pub database_url: Secret,
    /// `AMQP_URL` (or `AMQP_URL_FILE`).
    pub amqp_url: Secret,
    /// `REDIS_URL` (or `REDIS_URL_FILE`): API limits; may be down.
    pub redis_url: Secret,
    /// `WEBHOOK_KEY` (or `WEBHOOK_KEY_FILE`): what secrets are sealed with.
    pub vault: Vault,
    /// `WEBHOOK_ALLOW_PRIVATE` (false): whether endpoints may be inside, and without TLS. For development alone.
    pub reach: Reach,
    /// How events are sent.
    pub policy: Policy,
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
        let vault = vault(env);
        let reach = reach(env, http.as_ref());
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                http: http?,
                users: users?,
                identity: identity?,
                database_url: database_url?,
                amqp_url: amqp_url?,
                redis_url: redis_url?,
                vault: vault?,
                reach: reach?,
                policy: Policy::default(),
            })
        })
    }
}

fn vault(env: &mut Env) -> Option<Vault> {
    let keys = env.secret("WEBHOOK_KEY")?;
    match keys.expose().parse() {
        Ok(vault) => Some(vault),
        Err(error) => {
            let error: crate::vault::VaultError = error;
            env.fault(error.to_string());
            None
        }
    }
}

fn reach(env: &mut Env, http: Option<&HttpSettings>) -> Option<Reach> {
    if !env.optional("WEBHOOK_ALLOW_PRIVATE", false)? {
        return Some(Reach::Public);
    }
    if http.is_some_and(|http| http.production) {
        env.fault(
            "WEBHOOK_ALLOW_PRIVATE is for MERCATO_ENV=development: it opens the inside to any endpoint",
        );
    }
    Some(Reach::Anywhere)
}
