//! What order needs to start. Every variable is named at its field.

use std::net::SocketAddr;
use std::time::Duration;

use graphql_kit::{HttpSettings, WsConfig};
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};

use crate::app::Policy;
use crate::clients::Addresses;

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `GRAPHQL_ADDR` and `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `PUBLIC_ADDR`: where browsers open their WebSockets.
    pub public_addr: SocketAddr,
    /// `ALLOWED_ORIGINS`: pages that may open one, with commas between (none).
    pub allowed_origins: Vec<String>,
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
    /// `CART_URL`, `PRODUCT_URL`, `INVENTORY_URL` and `PAYMENT_URL`.
    pub services: Addresses,
    /// `PAYMENT_DEADLINE_S` (600), `RESERVATION_MARGIN_S` (120), `LEASE_S` (30) and `POLL_MS` (250).
    pub policy: Policy,
}

impl Config {
    /// Reads the environment; all faults at once.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let public_addr = env.required("PUBLIC_ADDR");
        let allowed_origins = WsConfig::origins_from_env(env);
        let http = HttpSettings::from_env(env);
        let users = UserVerifierConfig::from_env(env);
        let identity = ServiceIdentityConfig::from_env(env);
        let database_url = env.secret("DATABASE_URL");
        let amqp_url = env.secret("AMQP_URL");
        let redis_url = env.secret("REDIS_URL");
        let services = services(env);
        let policy = policy(env);
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                public_addr: public_addr?,
                allowed_origins: allowed_origins?,
                http: http?,
                users: users?,
                identity: identity?,
                database_url: database_url?,
                amqp_url: amqp_url?,
                redis_url: redis_url?,
                services: services?,
                policy: policy?,
            })
        })
    }
}

fn services(env: &mut Env) -> Option<Addresses> {
    let cart = env.required("CART_URL");
    let product = env.required("PRODUCT_URL");
    let inventory = env.required("INVENTORY_URL");
    let payment = env.required("PAYMENT_URL");
    Some(Addresses {
        cart: cart?,
        product: product?,
        inventory: inventory?,
        payment: payment?,
    })
}

fn policy(env: &mut Env) -> Option<Policy> {
    let deadline_s = env.optional("PAYMENT_DEADLINE_S", 600);
    let margin_s = env.optional("RESERVATION_MARGIN_S", 120);
    let lease_s = env.optional("LEASE_S", 30);
    let poll_ms = env.optional("POLL_MS", 250);
    Some(Policy {
        deadline: Duration::from_secs(deadline_s?),
        margin: Duration::from_secs(margin_s?),
        lease: Duration::from_secs(lease_s?),
        poll: Duration::from_millis(poll_ms?),
        ..Policy::default()
    })
}
