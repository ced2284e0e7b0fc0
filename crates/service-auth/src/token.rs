//! One strict reading of a JWT, for both kinds of token.
//!
//! The algorithm is EdDSA by configuration, whatever the header says; the header may hold `alg`, `typ` and `kid`
//! and nothing else, so that no `jwk`, `jku`, `x5u` or `crit` is ever looked at; every claim has one type.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Ours are below 1 KiB.
const MAX_LEN: usize = 4096;
const MAX_KID: usize = 64;
/// How far two clocks may be apart.
const LEEWAY_S: i64 = 10;

/// Type of a user's access token (RFC 9068).
pub(crate) const USER: &str = "at+jwt";
/// Type of a token with which one service calls another.
pub(crate) const SERVICE: &str = "svc+jwt";

/// Why a token isn't accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It is not a good token; the reason is for logs and tests, never for the caller.
    #[error("token refused: {0}")]
    Invalid(&'static str),
    /// It was good once.
    #[error("token expired")]
    Expired,
    /// The keys to check it with were never reached.
    #[error("signing keys unavailable")]
    Unavailable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

/// A token whose form is right; nothing of it may be believed yet.
pub(crate) struct Unverified<'a> {
    text: &'a str,
    /// Which key is said to have signed it; safe to look up, nothing more.
    pub(crate) kid: String,
}

/// Reads the header.
pub(crate) fn parse<'a>(text: &'a str, typ: &str) -> Result<Unverified<'a>, AuthError> {
    if text.len() > MAX_LEN {
        return Err(AuthError::Invalid("too long"));
    }
    let mut parts = text.split('.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(AuthError::Invalid("not three segments"));
    };
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| AuthError::Invalid("header encoding"))?;
    let header: StrictHeader = serde_json::from_slice(&header).map_err(|_| AuthError::Invalid("header"))?;
    if header.alg != "EdDSA" {
        return Err(AuthError::Invalid("algorithm"));
    }
    if header.typ != typ {
        return Err(AuthError::Invalid("type"));
    }
    let kid_is_plain = header
        .kid
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if header.kid.is_empty() || header.kid.len() > MAX_KID || !kid_is_plain {
        return Err(AuthError::Invalid("key id"));
    }
    Ok(Unverified {
        text,
        kid: header.kid,
    })
}

/// The claims that both kinds have.
pub(crate) trait Times {
    fn exp(&self) -> u64;
    fn nbf(&self) -> Option<u64>;
    fn iat(&self) -> u64;
}

impl Unverified<'_> {
    /// Checks signature, issuer, audience and times. `max_age_s` bounds the lifetime that a signer may grant.
    pub(crate) fn verify<C: DeserializeOwned + Times>(
        &self,
        key: &DecodingKey,
        issuer: &str,
        audience: &str,
        max_age_s: i64,
        now: DateTime<Utc>,
    ) -> Result<C, AuthError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        // The library asks the machine for the time; `check_times` asks the Clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = jsonwebtoken::decode::<C>(self.text, key, &validation)
            .map_err(|error| AuthError::Invalid(reason(&error)))?
            .claims;
        check_times(&claims, max_age_s, now.timestamp())?;
        Ok(claims)
    }
}

fn reason(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => "signature",
        ErrorKind::InvalidIssuer => "issuer",
        ErrorKind::InvalidAudience => "audience",
        ErrorKind::MissingRequiredClaim(_) => "missing claim",
        ErrorKind::Json(_) => "claims",
        _ => "malformed",
    }
}

fn check_times(claims: &impl Times, max_age_s: i64, now: i64) -> Result<(), AuthError> {
    let seconds = |value: u64| i64::try_from(value).map_err(|_| AuthError::Invalid("time out of range"));
    let (exp, iat) = (seconds(claims.exp())?, seconds(claims.iat())?);
    if exp < now.saturating_sub(LEEWAY_S) {
        return Err(AuthError::Expired);
    }
    if exp.saturating_sub(iat) > max_age_s || iat > exp {
        return Err(AuthError::Invalid("lifetime"));
    }
    if iat > now.saturating_add(LEEWAY_S) {
        return Err(AuthError::Invalid("issued in the future"));
    }
    match claims.nbf().map(seconds).transpose()? {
        Some(nbf) if nbf > now.saturating_add(LEEWAY_S) => Err(AuthError::Invalid("not yet valid")),
        _ => Ok(()),
    }
}

/// Signs claims.
pub(crate) fn sign(typ: &str, kid: &str, claims: &impl Serialize, key: &EncodingKey) -> String {
    let header = Header {
        typ: Some(typ.to_owned()),
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    #[expect(
        clippy::expect_used,
        reason = "the key was parsed when it was loaded, and claims are plain data"
    )]
    jsonwebtoken::encode(&header, claims, key).expect("a loaded Ed25519 key signs plain claims")
}

/// Seconds since 1970; instants before it don't occur.
pub(crate) fn timestamp(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or(0)
}
