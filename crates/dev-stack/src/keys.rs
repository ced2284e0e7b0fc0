//! The Ed25519 keys of a local system: one that signs user tokens, one per service. Made once, then kept.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey, KeypairBytes};

use crate::servers::write_private;

/// Where the keys of one system are.
#[derive(Debug, Clone)]
pub(crate) struct KeyFolders {
    root: PathBuf,
}

impl KeyFolders {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            root: folder.join("keys"),
        }
    }

    /// Private keys that sign user tokens, `KID.pem`.
    pub(crate) fn users(&self) -> PathBuf {
        self.root.join("users")
    }

    /// Public keys of all services, `NAME.pem`.
    pub(crate) fn services(&self) -> PathBuf {
        self.root.join("services")
    }

    /// The private key of one service.
    pub(crate) fn private(&self, service: &str) -> PathBuf {
        self.root.join("private").join(format!("{service}.pem"))
    }

    /// Makes what does not exist yet.
    pub(crate) fn ensure(&self, services: &[&str]) -> Result<()> {
        for folder in [self.users(), self.services(), self.root.join("private")] {
            std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        if std::fs::read_dir(self.users())?.next().is_none() {
            // Key ids sort by age.
            let seconds = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .context("the clock")?
                .as_secs();
            write_private(
                &self.users().join(format!("{seconds}.pem")),
                &private_pem(&new_key())?,
            )?;
        }
        for service in services.iter().filter(|service| !self.private(service).exists()) {
            let key = new_key();
            let public = key
                .verifying_key()
                .to_public_key_pem(LineEnding::LF)
                .context("public key")?;
            let file = self.services().join(format!("{service}.pem"));
            std::fs::write(&file, public).with_context(|| file.display().to_string())?;
            write_private(&self.private(service), &private_pem(&key)?)?;
        }
        Ok(())
    }
}

fn new_key() -> SigningKey {
    SigningKey::from_bytes(&rand::random())
}

/// PKCS#8 version 1 (without the public half): what every library reads.
fn private_pem(key: &SigningKey) -> Result<String> {
    let pair = KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    Ok(pair
        .to_pkcs8_pem(LineEnding::LF)
        .context("private key")?
        .to_string())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::VerifyingKey;
    use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};

    use super::*;

    #[test]
    fn keys_are_made_once_and_fit_together() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyFolders::new(folder.path());
        keys.ensure(&["order"]).unwrap();
        let text = std::fs::read_to_string(keys.private("order")).unwrap();
        let private = SigningKey::from_pkcs8_pem(&text).unwrap();
        let public = std::fs::read_to_string(keys.services().join("order.pem")).unwrap();
        assert_eq!(
            VerifyingKey::from_public_key_pem(&public).unwrap(),
            private.verifying_key()
        );
        keys.ensure(&["order", "cart"]).unwrap();
        assert_eq!(std::fs::read_to_string(keys.private("order")).unwrap(), text);
        assert_eq!(std::fs::read_dir(keys.users()).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(keys.services()).unwrap().count(), 2);
    }
}
