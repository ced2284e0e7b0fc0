//! What cart takes from the environment.

use std::time::Duration;

use graphql_kit::HttpSettings;
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners};
use url::Url;

use crate::Lifetimes;
use crate::store::Settings;

/// Everything cart is told from outside.
#[derive(Debug)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `REDIS_URL` (or `REDIS_URL_FILE`), `REDIS_PREFIX` (`mercato:`).
    pub store: Settings,
    /// `PRODUCT_URL`: product's internal listener.
    pub product_url: Url,
    /// `GATEWAY_KEY`, `MERCATO_ENV`, `API_RATES`.
    pub http: HttpSettings,
    /// `JWKS_URL`, `JWT_ISSUER`, `JWT_AUDIENCE`.
    pub users: UserVerifierConfig,
    /// `SERVICE_KEY_FILE`, `SERVICE_KEYS_DIR`.
    pub identity: ServiceIdentityConfig,
    /// `GUEST_CART_DAYS` (14), `USER_CART_DAYS` (90).
    pub lifetimes: Lifetimes,
}

impl Config {
    /// Reads all of it, or names all faults.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let url = env.secret("REDIS_URL");
        let prefix = env.optional("REDIS_PREFIX", "mercato:".to_owned());
        let product_url = env.required("PRODUCT_URL");
        let http = HttpSettings::from_env(env);
        let users = UserVerifierConfig::from_env(env);
        let identity = ServiceIdentityConfig::from_env(env);
        let guest_days = env.optional::<u16>("GUEST_CART_DAYS", 14);
        let user_days = env.optional::<u16>("USER_CART_DAYS", 90);
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                store: Settings {
                    url: url?,
                    prefix: prefix?,
                },
                product_url: product_url?,
                http: http?,
                users: users?,
                identity: identity?,
                lifetimes: Lifetimes {
                    guest: days(guest_days?),
                    user: days(user_days?),
                },
            })
        })
    }
}

fn days(count: u16) -> Duration {
    Duration::from_hours(24 * u64::from(count.max(1)))
}
