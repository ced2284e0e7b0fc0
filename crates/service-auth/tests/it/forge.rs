//! Makes tokens with any header and any claims.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use service_auth::keys::{self, KeyPair};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const USER: &str = "usr_01h455vb4pex5vsknk084sn02q";
pub(crate) const SESSION: &str = "ses_01h455vb4pex5vsknk084sn02q";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

pub(crate) struct Forge {
    pub(crate) pair: KeyPair,
    key: SigningKey,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let pair = keys::generate().unwrap();
        let key = SigningKey::from_pkcs8_pem(&pair.private_pem).unwrap();
        Self { pair, key }
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x })
    }

    /// Signs header and claims as raw text, however odd.
    pub(crate) fn raw(&self, header: &str, claims: &str) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        self.raw(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn user(&self, claims: &Value) -> String {
        self.token(&user_header(), claims)
    }

    pub(crate) fn service(&self, caller: &str, claims: &Value) -> String {
        self.token(
            &json!({ "alg": "EdDSA", "typ": "svc+jwt", "kid": caller }),
            claims,
        )
    }
}

pub(crate) fn user_header() -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" })
}

pub(crate) fn user_claims() -> Value {
    json!({
        "iss": "mercato", "aud": "mercato", "sub": USER, "roles": ["CUSTOMER"], "sid": SESSION,
        "jti": "j", "iat": NOW, "exp": NOW + 900,
    })
}

pub(crate) fn service_claims(caller: &str, callee: &str) -> Value {
    json!({ "iss": caller, "aud": callee, "jti": "j", "iat": NOW, "exp": NOW + 60 })
}

/// `value` with `field` replaced, or removed when `to` is null.
pub(crate) fn with(mut value: Value, field: &str, to: Value) -> Value {
    let fields = value.as_object_mut().unwrap();
    if to.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), to);
    }
    value
}
