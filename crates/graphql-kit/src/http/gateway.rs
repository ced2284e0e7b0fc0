//! The key by which the gateway shows that a request went through it.

use std::fmt;
use std::str::FromStr;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use service_kit::Env;
use service_kit::refusal::{Door, refused};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::refusals::Who;
use crate::viewer::ClientIp;

/// The header that bears the key.
pub const HEADER: &str = "x-gateway-key";
const MIN_KEY_LEN: usize = 16;

/// One key, or two while they are rotated. Kept as digests, so that comparing takes the same time for any guess.
#[derive(Clone)]
pub struct GatewayKeys(Vec<[u8; 32]>);

/// The text does not hold one or two long enough keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one key, or two with a comma between, of at least 16 characters each")]
pub struct KeyError;

impl FromStr for GatewayKeys {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let keys: Vec<&str> = text.split(',').map(str::trim).collect();
        if keys.len() > 2 || keys.iter().any(|key| key.len() < MIN_KEY_LEN) {
            return Err(KeyError);
        }
        Ok(Self(keys.into_iter().map(digest).collect()))
    }
}

impl GatewayKeys {
    /// Reads `GATEWAY_KEY`, or the file that `GATEWAY_KEY_FILE` names; a service does not start without.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let keys = env.secret("GATEWAY_KEY")?;
        match keys.expose().parse() {
            Ok(keys) => Some(keys),
            Err(error) => {
                env.fault(format!("GATEWAY_KEY: {error}"));
                None
            }
        }
    }

    /// Whether `given` is one of the keys, in constant time.
    pub fn accepts(&self, given: &[u8]) -> bool {
        let given = digest(given);
        let found = self
            .0
            .iter()
            .fold(Choice::from(0), |found, key| found | key.ct_eq(&given));
        found.into()
    }
}

impl fmt::Debug for GatewayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatewayKeys({})", self.0.len())
    }
}

fn digest(key: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(key.as_ref()).into()
}

/// Lets through only what bears exactly one good key.
pub(super) async fn guard(State(keys): State<GatewayKeys>, request: Request, next: Next) -> Response {
    let mut given = request.headers().get_all(HEADER).iter();
    let why = match (given.next(), given.next()) {
        (Some(key), None) if keys.accepts(key.as_bytes()) => return next.run(request).await,
        (Some(_), None) => "a wrong key",
        (Some(_), Some(_)) => "several keys",
        (None, _) => "no key",
    };
    let who = Who(None, ClientIp::of(request.headers()));
    refused(Door::Gateway, who, "/graphql", "FORBIDDEN", why);
    let body = json!({"errors": [{"message": "Ask the gateway", "extensions": {"code": "FORBIDDEN"}}]});
    (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_are_accepted_while_they_are_rotated() {
        let keys: GatewayKeys = "old-old-old-old-old, new-new-new-new-new".parse().unwrap();
        assert!(keys.accepts(b"old-old-old-old-old"));
        assert!(keys.accepts(b"new-new-new-new-new"));
        assert!(!keys.accepts(b"old-old-old-old-ol"));
        assert!(!keys.accepts(b""));
        assert_eq!(format!("{keys:?}"), "GatewayKeys(2)");
    }

    #[test]
    fn no_key_or_a_short_one_is_refused() {
        for text in [
            "",
            "short",
            "long-enough-to-be-a-key,",
            "long-enough-to-be-a-key,short",
        ] {
            assert!(text.parse::<GatewayKeys>().is_err(), "{text:?}");
        }
    }
}
