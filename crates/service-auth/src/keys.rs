//! Ed25519 keys as PEM files: PKCS#8 private keys and SubjectPublicKeyInfo public keys.

use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jsonwebtoken::{DecodingKey, EncodingKey};

/// Why a key can't be used. Never shows the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or folder can't be read.
    #[error("can't read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It isn't an Ed25519 key in the right PEM form.
    #[error("{name} is not an Ed25519 key in PEM")]
    Malformed {
        /// The file or key.
        name: String,
    },
    /// The folder holds no key.
    #[error("no *.pem in {}", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// A new key, for development and tests.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// PKCS#8 PEM.
    pub private_pem: String,
    /// SubjectPublicKeyInfo PEM.
    pub public_pem: String,
}

/// Makes a key pair.
pub fn generate() -> Result<KeyPair, KeyError> {
    let seed: [u8; 32] = rand::random();
    let key = SigningKey::from_bytes(&seed);
    let malformed = || KeyError::Malformed {
        name: "a new key".to_owned(),
    };
    let private = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| malformed())?;
    let public = key
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(|_| malformed())?;
    Ok(KeyPair {
        private_pem: private.to_string(),
        public_pem: public,
    })
}

/// A private key and its public half.
pub(crate) struct Private {
    pub(crate) encoding: EncodingKey,
    pub(crate) public: VerifyingKey,
}

pub(crate) fn private(name: &str, pem: &str) -> Result<Private, KeyError> {
    let malformed = |_| KeyError::Malformed {
        name: name.to_owned(),
    };
    let key = SigningKey::from_pkcs8_pem(pem.trim()).map_err(malformed)?;
    let der = key.to_pkcs8_der().map_err(malformed)?;
    Ok(Private {
        encoding: EncodingKey::from_ed_der(der.as_bytes()),
        public: key.verifying_key(),
    })
}

pub(crate) fn public(name: &str, pem: &str) -> Result<DecodingKey, KeyError> {
    VerifyingKey::from_public_key_pem(pem.trim())
        .ok()
        .filter(|key| !key.is_weak())
        .map(|key| decoding(&key))
        .ok_or_else(|| KeyError::Malformed {
            name: name.to_owned(),
        })
}

/// The raw public key, as jsonwebtoken wants it.
pub(crate) fn decoding(key: &VerifyingKey) -> DecodingKey {
    DecodingKey::from_ed_der(key.as_bytes())
}

pub(crate) fn read(path: &Path) -> Result<String, KeyError> {
    std::fs::read_to_string(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The `*.pem` files of a folder: name without the ending, and path, by name.
pub(crate) fn list(dir: &Path) -> Result<Vec<(String, PathBuf)>, KeyError> {
    let unreadable = |source| KeyError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "pem")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            found.push((name.to_owned(), path.clone()));
        }
    }
    found.sort();
    if found.is_empty() {
        Err(KeyError::Empty { path: dir.to_owned() })
    } else {
        Ok(found)
    }
}
