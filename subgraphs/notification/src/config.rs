//! What notification takes from the environment.

use std::net::SocketAddr;

use graphql_kit::{HttpSettings, WsConfig};
use service_auth::{ServiceIdentityConfig, UserVerifierConfig};
use service_kit::{ConfigError, Env, Listeners, Secret};
use url::Url;

use crate::app::Policy;
use crate::clients::{Authority, SmtpConfig, Tls};

/// Everything notification is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// `GRAPHQL_ADDR`, `INTERNAL_ADDR`.
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
    /// `DATABASE_URL` (or `DATABASE_URL_FILE`).
    pub database_url: Secret,
    /// `AMQP_URL` (or `AMQP_URL_FILE`).
    pub amqp_url: Secret,
    /// `REDIS_URL` (or `REDIS_URL_FILE`): API limits; may be down.
    pub redis_url: Secret,
    /// `AUTH_URL`: auth's internal address.
    pub auth_url: Url,
    /// `SMTP_ADDR`, `SMTP_TLS` (`starttls`), `SMTP_CA` (or `_FILE`), `SMTP_USER`, `SMTP_PASSWORD` (or `_FILE`),
    /// `MAIL_FROM` and `SHOP_URL`.
    pub smtp: SmtpConfig,
    /// `MAIL_TRIES` (16): how often a mail is tried before it is given up.
    pub policy: Policy,
}

impl Config {
    /// Reads all of it, or names all faults.
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
        let auth_url = env.required("AUTH_URL");
        let smtp = SmtpConfig::from_env(env);
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
                auth_url: auth_url?,
                smtp: smtp?,
                policy: policy?,
            })
        })
    }
}

fn policy(env: &mut Env) -> Option<Policy> {
    let tries = env.optional("MAIL_TRIES", Policy::default().tries);
    if tries == Some(0) {
        env.fault("MAIL_TRIES must be at least 1");
    }
    Some(Policy {
        tries: tries?,
        ..Policy::default()
    })
}

impl SmtpConfig {
    /// Reads its variables.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let server = env.required("SMTP_ADDR");
        let tls = env.optional("SMTP_TLS", Tls::Starttls);
        let authority = authority(env);
        let user: Option<Option<String>> = env.maybe("SMTP_USER");
        let password = env.maybe_secret("SMTP_PASSWORD");
        let from = env.required("MAIL_FROM");
        let shop = env.required("SHOP_URL");
        if tls == Some(Tls::None) && matches!(authority, Some(Some(_))) {
            env.fault("SMTP_CA vouches for nobody: SMTP_TLS is none");
        }
        if let (Some(user), Some(password)) = (&user, &password) {
            if user.is_some() != password.is_some() {
                env.fault("SMTP_USER and SMTP_PASSWORD go together");
            }
            if password.is_some() && tls == Some(Tls::None) {
                env.fault("SMTP_PASSWORD would go over the wire unprotected: SMTP_TLS is none");
            }
        }
        Some(Self {
            server: server?,
            tls: tls?,
            authority: authority?,
            login: user?.zip(password?),
            from: from?,
            shop: shop?,
        })
    }
}

/// Who else may vouch for the mail server.
#[expect(clippy::option_option, reason = "a fault, none, or one, as in Env")]
fn authority(env: &mut Env) -> Option<Option<Authority>> {
    let Some(pem) = env.maybe_secret("SMTP_CA")? else {
        return Some(None);
    };
    let authority = pem.expose().parse().ok();
    if authority.is_none() {
        env.fault("SMTP_CA or the file that SMTP_CA_FILE names is no certificate");
    }
    authority.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&str, &str)]) -> (Option<SmtpConfig>, Vec<String>) {
        let mut pairs = vec![
            ("SMTP_ADDR", "mail.example:587"),
            ("MAIL_FROM", "Mercato <shop@mercato.example>"),
            ("SHOP_URL", "https://shop.example"),
        ];
        pairs.extend(more);
        let mut env = Env::from_pairs(pairs);
        let config = SmtpConfig::from_env(&mut env);
        let faults = env
            .finish(|| Some(()))
            .err()
            .map(|error| error.faults)
            .unwrap_or_default();
        (config, faults)
    }

    #[test]
    fn a_connection_is_private_unless_told_otherwise() {
        let (config, faults) = read(&[]);
        assert_eq!((config.unwrap().tls, faults.len()), (Tls::Starttls, 0));
        let (config, faults) = read(&[
            ("SMTP_USER", "u"),
            ("SMTP_PASSWORD", "p"),
            ("SMTP_TLS", "implicit"),
        ]);
        assert_eq!((config.unwrap().tls, faults.len()), (Tls::Implicit, 0));
    }

    #[test]
    fn who_vouches_is_a_certificate_and_vouches_for_somebody() {
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----";
        for wrong in [
            "nonsense",
            empty,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        ] {
            let (config, faults) = read(&[("SMTP_CA", wrong)]);
            assert!(config.is_none());
            assert_eq!(
                faults,
                ["SMTP_CA or the file that SMTP_CA_FILE names is no certificate"]
            );
        }
        assert_eq!(read(&[("SMTP_CA_FILE", "/nowhere")]).1.len(), 1);
    }

    #[test]
    fn a_password_never_goes_unprotected_nor_alone() {
        let (_, faults) = read(&[("SMTP_USER", "u")]);
        assert_eq!(faults, ["SMTP_USER and SMTP_PASSWORD go together"]);
        let (_, faults) = read(&[("SMTP_USER", "u"), ("SMTP_PASSWORD", "p"), ("SMTP_TLS", "none")]);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("unprotected") && !faults[0].contains("p@"));
        for wrong in ["mail.example", ":25", "smtp://mail.example:25", "mail.example:x"] {
            assert_eq!(read(&[("SMTP_ADDR", wrong)]).1.len(), 1, "{wrong}");
        }
    }
}
