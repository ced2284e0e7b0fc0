//! Signs the access tokens of users. Only auth and tests do.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::{SessionId, UserId};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use service_kit::Clock;

use crate::keys::{self, KeyError};
use crate::verifier::UserClaims;
use crate::{Roles, token};

/// A new key is published this long before it signs, so that every verifier has met it.
const PUBLISH_FIRST: TimeDelta = TimeDelta::seconds(60);

/// Signs access tokens with the newest key that was published long enough, and publishes all.
pub struct UserSigner {
    dir: Option<PathBuf>,
    issuer: String,
    audience: String,
    clock: Clock,
    keys: RwLock<Vec<UserKey>>,
}

#[derive(Clone)]
struct UserKey {
    kid: String,
    since: DateTime<Utc>,
    encoding: EncodingKey,
    public: [u8; 32],
}

impl UserSigner {
    /// Reads the private keys of a folder, `KID.pem`; a key's age is its file's.
    pub fn from_dir(dir: impl AsRef<Path>, issuer: &str, audience: &str) -> Result<Self, KeyError> {
        let dir = dir.as_ref();
        let keys = read_dir(dir)?;
        Ok(Self::new(Some(dir.to_owned()), issuer, audience, keys))
    }

    /// One key as PEM text.
    pub fn from_pem(kid: &str, pem: &str, issuer: &str, audience: &str) -> Result<Self, KeyError> {
        let keys = vec![UserKey::try_new(kid, pem, DateTime::UNIX_EPOCH)?];
        Ok(Self::new(None, issuer, audience, keys))
    }

    fn new(dir: Option<PathBuf>, issuer: &str, audience: &str, keys: Vec<UserKey>) -> Self {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Self {
            dir,
            issuer,
            audience,
            clock: Clock::system(),
            keys: RwLock::new(keys),
        }
    }

    /// The same keys under another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Looks at the folder again; on an error the keys stay as they are.
    pub fn reload(&self) -> Result<(), KeyError> {
        if let Some(dir) = &self.dir {
            let keys = read_dir(dir)?;
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(())
    }

    /// A token for `user` that lives for `ttl`, and when it ends.
    pub fn mint(
        &self,
        user: UserId,
        roles: Roles,
        session: SessionId,
        ttl: Duration,
    ) -> (String, DateTime<Utc>) {
        let now = self.clock.now();
        let exp = token::timestamp(now + ttl);
        let claims = UserClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user,
            roles,
            sid: session,
            jti: service_kit::correlation::new_id(),
            iat: token::timestamp(now),
            nbf: None,
            exp,
        };
        let key = self.active(now);
        let token = token::sign(token::USER, &key.kid, &claims, &key.encoding);
        let expires_at = i64::try_from(exp)
            .ok()
            .and_then(|exp| DateTime::from_timestamp(exp, 0));
        (token, expires_at.unwrap_or(now))
    }

    /// The public keys as a JSON key set.
    pub fn jwks(&self) -> Value {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let entries: Vec<Value> = keys.iter().map(UserKey::jwk).collect();
        json!({ "keys": entries })
    }

    fn active(&self, now: DateTime<Utc>) -> UserKey {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let published = keys
            .iter()
            .filter(|key| key.since + PUBLISH_FIRST <= now)
            .max_by_key(|key| (key.since, &key.kid));
        let oldest = || keys.iter().min_by_key(|key| (key.since, &key.kid));
        #[expect(
            clippy::expect_used,
            reason = "every constructor and reload refuses an empty set"
        )]
        published.or_else(oldest).cloned().expect("a signer has a key")
    }
}

impl UserKey {
    fn try_new(kid: &str, pem: &str, since: DateTime<Utc>) -> Result<Self, KeyError> {
        let key = keys::private(kid, pem)?;
        Ok(Self {
            kid: kid.to_owned(),
            since,
            encoding: key.encoding,
            public: key.public.to_bytes(),
        })
    }

    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public);
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x })
    }
}

fn read_dir(dir: &Path) -> Result<Vec<UserKey>, KeyError> {
    let mut found = Vec::new();
    for (kid, path) in keys::list(dir)? {
        let modified = std::fs::metadata(&path).and_then(|meta| meta.modified());
        let since = modified.map_err(|source| KeyError::Read {
            path: path.clone(),
            source,
        })?;
        found.push(UserKey::try_new(&kid, &keys::read(&path)?, since.into())?);
    }
    Ok(found)
}
