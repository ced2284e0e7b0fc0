//! Verifies the access tokens of users.

use chrono::{DateTime, Utc};
use contracts::{SessionId, UserId};
use serde::{Deserialize, Serialize};
use service_kit::{Clock, Env};
use url::Url;

use crate::jwks::{self, Jwks};
use crate::token::{self, AuthError, Times};
use crate::{CurrentUser, Roles};

/// Longer than any access token lives.
const MAX_AGE_S: i64 = 24 * 60 * 60;

/// Where the keys are and what a token must say.
#[derive(Debug, Clone)]
pub struct UserVerifierConfig {
    /// `JWKS_URL`: auth's key set.
    pub jwks_url: Url,
    /// `JWT_ISSUER`, default `mercato`.
    pub issuer: String,
    /// `JWT_AUDIENCE`, default `mercato`.
    pub audience: String,
}

impl UserVerifierConfig {
    /// Reads `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let jwks_url = env.required("JWKS_URL");
        let issuer = env.optional("JWT_ISSUER", "mercato".to_owned());
        let audience = env.optional("JWT_AUDIENCE", "mercato".to_owned());
        Some(Self {
            jwks_url: jwks_url?,
            issuer: issuer?,
            audience: audience?,
        })
    }
}

/// Claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UserClaims {
    pub(crate) iss: String,
    /// A plain string: a token for several audiences could be replayed between them.
    pub(crate) aud: String,
    pub(crate) sub: UserId,
    pub(crate) roles: Roles,
    pub(crate) sid: SessionId,
    pub(crate) jti: String,
    pub(crate) iat: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<u64>,
    pub(crate) exp: u64,
}

impl Times for UserClaims {
    fn exp(&self) -> u64 {
        self.exp
    }

    fn nbf(&self) -> Option<u64> {
        self.nbf
    }

    fn iat(&self) -> u64 {
        self.iat
    }
}

/// Verifies access tokens against auth's keys; clones share the cache.
#[derive(Clone)]
pub struct UserVerifier {
    jwks: Jwks,
    issuer: String,
    audience: String,
    clock: Clock,
}

impl UserVerifier {
    /// A verifier that fetches the keys when it first needs them.
    pub fn new(config: UserVerifierConfig, clock: Clock) -> Self {
        let UserVerifierConfig {
            jwks_url,
            issuer,
            audience,
        } = config;
        Self {
            jwks: Jwks::remote(jwks_url, clock.clone()),
            issuer,
            audience,
            clock,
        }
    }

    /// A verifier that knows its keys: for auth itself, and for tests. `jwks` is a JSON key set.
    pub fn try_fixed(
        jwks: &serde_json::Value,
        issuer: &str,
        audience: &str,
        clock: Clock,
    ) -> Result<Self, AuthError> {
        let keys = jwks::parse(jwks.to_string().as_bytes()).map_err(|_| AuthError::Invalid("key set"))?;
        let jwks = Jwks::fixed(keys, clock.clone());
        Ok(Self {
            jwks,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            clock,
        })
    }

    /// Replaces the keys of a verifier made by [`UserVerifier::try_fixed`], at a rotation.
    pub fn replace_keys(&self, jwks: &serde_json::Value) -> Result<(), AuthError> {
        let keys = jwks::parse(jwks.to_string().as_bytes()).map_err(|_| AuthError::Invalid("key set"))?;
        self.jwks.replace(keys);
        Ok(())
    }

    /// The user that `token` (without `Bearer`) speaks for.
    pub async fn verify(&self, token: &str) -> Result<CurrentUser, AuthError> {
        let unverified = token::parse(token, token::USER)?;
        let keys = self
            .jwks
            .with(&unverified.kid)
            .await
            .ok_or(AuthError::Unavailable)?;
        let key = keys
            .get(&unverified.kid)
            .ok_or(AuthError::Invalid("unknown key id"))?;
        let now = self.clock.now();
        let claims: UserClaims = unverified.verify(key, &self.issuer, &self.audience, MAX_AGE_S, now)?;
        if keys.has_ended(claims.sid) {
            return Err(AuthError::Invalid("session ended"));
        }
        let expires_at = i64::try_from(claims.exp)
            .ok()
            .and_then(|exp| DateTime::<Utc>::from_timestamp(exp, 0));
        Ok(CurrentUser {
            id: claims.sub,
            roles: claims.roles,
            session: claims.sid,
            expires_at: expires_at.ok_or(AuthError::Invalid("time out of range"))?,
        })
    }
}
