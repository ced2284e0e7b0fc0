//! What auth takes from the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use graphql_kit::HttpSettings;
use service_auth::ServiceIdentityConfig;
use service_kit::{ConfigError, Env, Listeners, Secret};

/// Everything auth is told from outside.
#[derive(Debug)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`.
    pub listeners: Listeners,
    /// `PUBLIC_ADDR`: where the key set is published.
    pub public_addr: SocketAddr,
    /// `DATABASE_URL` (or `DATABASE_URL_FILE`).
    pub database_url: Secret,
    /// `REDIS_URL` (or `REDIS_URL_FILE`): limits of logins and of the API.
    pub redis_url: Secret,
    /// `GATEWAY_KEY`, `MERCATO_ENV`, `API_RATES`.
    pub http: HttpSettings,
    /// `USER_KEYS_DIR`: private keys that sign access tokens, `KID.pem`.
    pub user_keys_dir: PathBuf,
    /// `SERVICE_KEY_FILE`, `SERVICE_KEYS_DIR`.
    pub identity: ServiceIdentityConfig,
    /// `JWT_ISSUER`, `JWT_AUDIENCE`, `ACCESS_TOKEN_S`, `SESSION_DAYS`.
    pub tokens: Tokens,
    /// `BOOTSTRAP_ADMIN_EMAIL` with `BOOTSTRAP_ADMIN_PASSWORD`: the first administrator, made if missing.
    pub admin: Option<Admin>,
}

/// What tokens say and how long they live.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// `JWT_ISSUER` (`mercato`).
    pub issuer: String,
    /// `JWT_AUDIENCE` (`mercato`).
    pub audience: String,
    /// `ACCESS_TOKEN_S` (900, at most 3600).
    pub access: Duration,
    /// `SESSION_DAYS` (30): how long a session lives at most, however often it is refreshed.
    pub session: Duration,
}

/// The first administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Their address.
    pub email: String,
    /// Their password, until they change it.
    pub password: Secret,
}

impl Config {
    /// Reads all of it, or names all faults.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let listeners = Listeners::from_env(env);
        let public_addr = env.required("PUBLIC_ADDR");
        let database_url = env.secret("DATABASE_URL");
        let redis_url = env.secret("REDIS_URL");
        let http = HttpSettings::from_env(env);
        let user_keys_dir = env.required("USER_KEYS_DIR");
        let identity = ServiceIdentityConfig::from_env(env);
        let tokens = Tokens::from_env(env);
        let admin = Admin::from_env(env);
        env.finish(|| {
            Some(Self {
                listeners: listeners?,
                public_addr: public_addr?,
                database_url: database_url?,
                redis_url: redis_url?,
                http: http?,
                user_keys_dir: user_keys_dir?,
                identity: identity?,
                tokens: tokens?,
                admin,
            })
        })
    }
}

impl Tokens {
    fn from_env(env: &mut Env) -> Option<Self> {
        let issuer = env.optional("JWT_ISSUER", "mercato".to_owned());
        let audience = env.optional("JWT_AUDIENCE", "mercato".to_owned());
        let access_s: Option<u32> = env.optional("ACCESS_TOKEN_S", 900);
        let session_days: Option<u32> = env.optional("SESSION_DAYS", 30);
        if access_s.is_some_and(|seconds| !(10..=3600).contains(&seconds)) {
            env.fault("ACCESS_TOKEN_S must be between 10 and 3600");
        }
        if session_days.is_some_and(|days| !(1..=366).contains(&days)) {
            env.fault("SESSION_DAYS must be between 1 and 366");
        }
        Some(Self {
            issuer: issuer?,
            audience: audience?,
            access: Duration::from_secs(access_s?.into()),
            session: Duration::from_secs(u64::from(session_days?) * 86_400),
        })
    }
}

impl Admin {
    /// `None` is nobody to make; a fault stops the start in `finish`.
    fn from_env(env: &mut Env) -> Option<Self> {
        let email = env.maybe("BOOTSTRAP_ADMIN_EMAIL").flatten();
        let password = env.maybe_secret("BOOTSTRAP_ADMIN_PASSWORD").flatten();
        if email.is_some() != password.is_some() {
            env.fault("BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD go together");
        }
        Some(Self {
            email: email?,
            password: password?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_all_that_is_missing_at_once() {
        let pairs = [
            ("ACCESS_TOKEN_S", "86400"),
            ("SESSION_DAYS", "0"),
            ("BOOTSTRAP_ADMIN_EMAIL", "root@example.com"),
        ];
        let error = Config::from_env(&mut Env::from_pairs(pairs))
            .unwrap_err()
            .to_string();
        for name in [
            "GRAPHQL_ADDR",
            "INTERNAL_ADDR",
            "PUBLIC_ADDR",
            "DATABASE_URL",
            "REDIS_URL",
            "GATEWAY_KEY",
            "USER_KEYS_DIR",
            "SERVICE_KEY_FILE",
            "SERVICE_KEYS_DIR",
            "ACCESS_TOKEN_S",
            "SESSION_DAYS",
            "BOOTSTRAP_ADMIN_PASSWORD",
        ] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
