//! The tokens with which services call each other: short, signed by the caller, for one callee.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use service_kit::{Clock, Env};

use crate::keys::{self, KeyError};
use crate::token::{self, AuthError, Times};

const LIFETIME: TimeDelta = TimeDelta::seconds(60);
/// A token is sent again for half its life: signing each call would cost more than it gives.
const REUSE: TimeDelta = TimeDelta::seconds(30);

/// Where a service's keys are.
#[derive(Debug, Clone)]
pub struct ServiceIdentityConfig {
    /// `SERVICE_KEY_FILE`: own Ed25519 private key, PKCS#8 PEM.
    pub key_file: PathBuf,
    /// `SERVICE_KEYS_DIR`: public keys of the callers, `NAME.pem`.
    pub keys_dir: PathBuf,
}

impl ServiceIdentityConfig {
    /// Reads `SERVICE_KEY_FILE` and `SERVICE_KEYS_DIR`.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let key_file = env.required("SERVICE_KEY_FILE");
        let keys_dir = env.required("SERVICE_KEYS_DIR");
        Some(Self {
            key_file: key_file?,
            keys_dir: keys_dir?,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    aud: String,
    jti: String,
    iat: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    exp: u64,
}

impl Times for ServiceClaims {
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

/// A service's own key, which signs its calls.
pub struct ServiceKey {
    service: &'static str,
    key: EncodingKey,
    clock: Clock,
    minted: Mutex<HashMap<String, (String, DateTime<Utc>)>>,
}

impl ServiceKey {
    /// Reads the key of `service` from a PKCS#8 PEM file.
    pub fn from_pem_file(service: &'static str, path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::from_pem(service, &keys::read(path)?).map_err(|_| KeyError::Malformed {
            name: path.display().to_string(),
        })
    }

    /// Reads the key of `service` from PKCS#8 PEM text.
    pub fn from_pem(service: &'static str, pem: &str) -> Result<Self, KeyError> {
        let key = keys::private(service, pem)?.encoding;
        Ok(Self {
            service,
            key,
            clock: Clock::system(),
            minted: Mutex::default(),
        })
    }

    /// The same key under another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// A token for a call to `audience`, good for at least 30 s.
    pub fn mint(&self, audience: &str) -> String {
        let now = self.clock.now();
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, at)) = minted.get(audience)
            && (*at..*at + REUSE).contains(&now)
        {
            return token.clone();
        }
        let claims = ServiceClaims {
            iss: self.service.to_owned(),
            aud: audience.to_owned(),
            jti: service_kit::correlation::new_id(),
            iat: token::timestamp(now),
            nbf: None,
            exp: token::timestamp(now + LIFETIME),
        };
        let token = token::sign(token::SERVICE, self.service, &claims, &self.key);
        minted.insert(audience.to_owned(), (token.clone(), now));
        token
    }
}

/// Verifies the tokens of calling services; clones share the keys.
#[derive(Clone)]
pub struct ServiceVerifier {
    own_name: &'static str,
    callers: Arc<HashMap<String, DecodingKey>>,
    clock: Clock,
}

impl ServiceVerifier {
    /// Reads the callers' public keys, `NAME.pem`. `own_name` is the audience that tokens must name.
    pub fn from_dir(own_name: &'static str, dir: impl AsRef<Path>, clock: Clock) -> Result<Self, KeyError> {
        let mut pems = Vec::new();
        for (name, path) in keys::list(dir.as_ref())? {
            pems.push((name, keys::read(&path)?));
        }
        Self::from_pems(own_name, pems, clock)
    }

    /// Takes the callers' public keys as PEM text.
    pub fn from_pems<I, N, P>(own_name: &'static str, pems: I, clock: Clock) -> Result<Self, KeyError>
    where
        I: IntoIterator<Item = (N, P)>,
        N: Into<String>,
        P: AsRef<str>,
    {
        let mut callers = HashMap::new();
        for (name, pem) in pems {
            let name = name.into();
            let key = keys::public(&name, pem.as_ref())?;
            callers.insert(name, key);
        }
        Ok(Self {
            own_name,
            callers: Arc::new(callers),
            clock,
        })
    }

    /// The service that signed `token` (without `Bearer`).
    pub fn verify(&self, token: &str) -> Result<String, AuthError> {
        let unverified = token::parse(token, token::SERVICE)?;
        let key = self
            .callers
            .get(&unverified.kid)
            .ok_or(AuthError::Invalid("unknown caller"))?;
        // The issuer must be the very service whose key verified it.
        let issuer = unverified.kid.clone();
        let now = self.clock.now();
        let claims: ServiceClaims =
            unverified.verify(key, &issuer, self.own_name, LIFETIME.num_seconds(), now)?;
        Ok(claims.iss)
    }
}
