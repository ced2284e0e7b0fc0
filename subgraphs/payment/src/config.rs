//! What payment needs to start. Every variable is named at its field.

use std::net::SocketAddr;
use std::time::Duration;

use graphql_kit::HttpSettings;
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};

use crate::app::Settings;
use crate::clients::stripe::StripeConfig;

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `GRAPHQL_ADDR` and `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `PUBLIC_ADDR`: where the provider's webhooks arrive.
    pub public_addr: SocketAddr,
    /// `GATEWAY_KEY`, `MERCATO_ENV` and `API_RATES`.
    pub http: HttpSettings,
    /// `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`.
    pub users: UserVerifierConfig,
    /// `SERVICE_KEY_FILE` and `SERVICE_KEYS_DIR`.
    pub identity: ServiceIdentityConfig,
    /// `DATABASE_URL`.
    pub database_url: Secret,
    /// `AMQP_URL`.
    pub amqp_url: Secret,
    /// `REDIS_URL` (or `REDIS_URL_FILE`): API limits; may be down.
    pub redis_url: Secret,
    /// `PSP_BASE_URL`, `PSP_API_KEY` and `PSP_TIMEOUT_MS` (4000).
    pub stripe: StripeConfig,
    /// `PSP_WEBHOOK_SECRET` and `PSP_PATIENCE_MS` (1500): how long a caller waits for the provider's decision.
    pub settings: Settings,
}

impl Config {
    /// Reads the environment; all faults at once.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let public_addr = env.required("PUBLIC_ADDR");
        let http = HttpSettings::from_env(env);
        let users = UserVerifierConfig::from_env(env);
        let identity = ServiceIdentityConfig::from_env(env);
        let database_url = env.secret("DATABASE_URL");
        let amqp_url = env.secret("AMQP_URL");
        let redis_url = env.secret("REDIS_URL");
        let stripe = stripe(env);
        let webhook_secret = env.secret("PSP_WEBHOOK_SECRET");
        let patience_ms = env.optional("PSP_PATIENCE_MS", 1_500);
        env.finish(|| {
            let patience = Duration::from_millis(patience_ms?);
            Some(Self {
                listeners: listeners?,
                public_addr: public_addr?,
                http: http?,
                users: users?,
                identity: identity?,
                database_url: database_url?,
                amqp_url: amqp_url?,
                redis_url: redis_url?,
                stripe: stripe?,
                settings: Settings {
                    webhook_secret: webhook_secret?,
                    patience,
                },
            })
        })
    }
}

fn stripe(env: &mut Env) -> Option<StripeConfig> {
    let base = env.required("PSP_BASE_URL");
    let key = env.secret("PSP_API_KEY");
    let timeout_ms = env.optional("PSP_TIMEOUT_MS", 4_000);
    Some(StripeConfig {
        base: base?,
        key: key?,
        timeout: Duration::from_millis(timeout_ms?),
    })
}
