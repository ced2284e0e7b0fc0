//! Tokens with any header, any claims and any signature: the keys are the system's own, so that each token has
//! exactly the fault it is named after.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use roster::SERVICES;
use serde_json::{Value, json};

use crate::people::People;
use crate::world::{FORMER_KID, PRESENT_KID};

pub(crate) struct Forge {
    pub(crate) users: UserKeys,
    services: BTreeMap<&'static str, SigningKey>,
    /// Nobody's.
    stranger: SigningKey,
    admin: String,
    session: String,
}

pub(crate) struct UserKeys {
    present: SigningKey,
    former: SigningKey,
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub(crate) fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn read(file: &Path) -> Result<SigningKey> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    SigningKey::from_pkcs8_pem(text.trim()).context("not a private key")
}

/// A key of nobody yet.
pub(crate) fn new_key() -> Result<SigningKey> {
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(SigningKey::from_bytes(&seed))
}

/// As a file of `USER_KEYS_DIR` holds it.
pub(crate) fn private_pem(key: &SigningKey) -> Result<String> {
    let pair = KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    let pem = pair.to_pkcs8_pem(LineEnding::LF).context("a private key")?;
    Ok(pem.to_string())
}

/// Claims of a token, unverified.
pub(crate) fn claims_of(token: &str) -> Result<Value> {
    let claims = token.split('.').nth(1).context("not a token")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?)
}

/// Header of a token, unverified.
pub(crate) fn header_of(token: &str) -> Result<Value> {
    let header = token.split('.').next().context("not a token")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?)
}

/// Signs header and claims as raw text, however odd.
pub(crate) fn raw(key: &SigningKey, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", encode(signature.to_bytes()))
}

pub(crate) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", encode(mac.finalize().into_bytes()))
}

/// `value` with `field` replaced, or removed when `to` is null.
pub(crate) fn with(mut value: Value, field: &str, to: Value) -> Value {
    let fields = value.as_object_mut().unwrap();
    if to.is_null() {
        fields.shift_remove(field);
    } else {
        fields.insert(field.to_owned(), to);
    }
    value
}

/// A token of one kind with all that can be wrong with it.
pub(crate) struct Mould<'f> {
    pub(crate) key: &'f SigningKey,
    pub(crate) stranger: &'f SigningKey,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl Forge {
    pub(crate) fn open(folder: &Path, people: &People) -> Result<Self> {
        let keys = folder.join("keys");
        let user = |kid: &str| read(&keys.join(format!("users/{kid}.pem")));
        let mut services = BTreeMap::new();
        for service in SERVICES {
            services.insert(service, read(&keys.join(format!("private/{service}.pem")))?);
        }
        let stranger = new_key()?;
        let session = claims_of(&people.admin.token)?["sid"]
            .as_str()
            .context("no sid")?
            .to_owned();
        Ok(Self {
            users: UserKeys {
                present: user(PRESENT_KID)?,
                former: user(FORMER_KID)?,
            },
            services,
            stranger,
            admin: people.admin.id.clone(),
            session,
        })
    }

    pub(crate) fn service_key(&self, service: &str) -> &SigningKey {
        &self.services[service]
    }

    /// An administrator's token, which would open everything.
    pub(crate) fn user(&self) -> Mould<'_> {
        let now = now();
        Mould {
            key: &self.users.present,
            stranger: &self.stranger,
            header: json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": PRESENT_KID }),
            claims: json!({
                "iss": "mercato", "aud": "mercato", "sub": self.admin, "roles": ["CUSTOMER", "ADMIN"],
                "sid": self.session, "jti": "forged", "iat": now, "exp": now + 600,
            }),
        }
    }

    /// The same, signed by the key before the present one.
    pub(crate) fn former_user(&self) -> Mould<'_> {
        let mut mould = self.user();
        mould.key = &self.users.former;
        mould.header["kid"] = json!(FORMER_KID);
        mould
    }

    /// A token with which `caller` calls `callee`.
    pub(crate) fn service(&self, caller: &'static str, callee: &str) -> Mould<'_> {
        let now = now();
        Mould {
            key: &self.services[caller],
            stranger: &self.stranger,
            header: json!({ "alg": "EdDSA", "typ": "svc+jwt", "kid": caller }),
            claims: json!({ "iss": caller, "aud": callee, "jti": "forged", "iat": now, "exp": now + 60 }),
        }
    }
}

impl Mould<'_> {
    /// The good one.
    pub(crate) fn good(&self) -> String {
        raw(self.key, &self.header.to_string(), &self.claims.to_string())
    }

    pub(crate) fn with_claim(&self, name: &str, to: Value) -> String {
        let claims = with(self.claims.clone(), name, to);
        raw(self.key, &self.header.to_string(), &claims.to_string())
    }

    pub(crate) fn with_header(&self, name: &str, to: Value) -> String {
        let header = with(self.header.clone(), name, to);
        raw(self.key, &header.to_string(), &self.claims.to_string())
    }
}
