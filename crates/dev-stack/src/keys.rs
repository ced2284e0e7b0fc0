//! The Ed25519 keys of a local system: one that signs user tokens, one per service. Made once, then kept.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
            let public = public_pem(&key)?;
            let file = self.services().join(format!("{service}.pem"));
            std::fs::write(&file, public).with_context(|| file.display().to_string())?;
            write_private(&self.private(service), &private_pem(&key)?)?;
        }
        Ok(())
    }
}

/// How long a key must have been replaced before no token of its can live: an hour is the most auth grants, and the
/// next key signs a minute after it was made.
const RETIRED_AFTER: Duration = Duration::from_mins(62);

/// Adds a key that signs users' tokens in the system of `folder`; answers its id. Auth finds it by itself.
pub fn add_user_key(folder: &Path) -> Result<String> {
    let users = KeyFolders::new(folder).users();
    let newest = user_keys(&users)?.last().and_then(|(kid, _)| kid.parse().ok());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock")?;
    // Ids sort by age, also of two keys of one second.
    let kid = now.as_secs().max(newest.unwrap_or(0) + 1).to_string();
    // Under another ending until it is whole: auth may look at any moment.
    let unfinished = users.join(format!("{kid}.new"));
    write_private(&unfinished, &private_pem(&new_key())?)?;
    std::fs::rename(&unfinished, users.join(format!("{kid}.pem"))).context("the new key")?;
    Ok(kid)
}

/// Removes the keys whose last token has ended; answers their ids. The newest always stays.
pub fn retire_user_keys(folder: &Path) -> Result<Vec<String>> {
    let users = KeyFolders::new(folder).users();
    let keys = user_keys(&users)?;
    let mut retired = Vec::new();
    for pair in keys.windows(2) {
        let (kid, (_, replaced)) = (&pair[0].0, &pair[1]);
        if replaced.elapsed().is_ok_and(|age| age > RETIRED_AFTER) {
            std::fs::remove_file(users.join(format!("{kid}.pem"))).with_context(|| kid.clone())?;
            retired.push(kid.clone());
        }
    }
    Ok(retired)
}

/// Ids and ages of the keys, the oldest first.
fn user_keys(users: &Path) -> Result<Vec<(String, SystemTime)>> {
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(users).with_context(|| users.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "pem")
            && let Some(kid) = path.file_stem().and_then(|stem| stem.to_str())
        {
            keys.push((kid.to_owned(), std::fs::metadata(&path)?.modified()?));
        }
    }
    keys.sort_by_key(|(kid, made)| (*made, kid.clone()));
    Ok(keys)
}

pub(crate) fn new_key() -> SigningKey {
    SigningKey::from_bytes(&rand::random())
}

pub(crate) fn public_pem(key: &SigningKey) -> Result<String> {
    key.verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .context("public key")
}

/// PKCS#8 version 1 (without the public half): what every library reads.
pub(crate) fn private_pem(key: &SigningKey) -> Result<String> {
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

    #[test]
    fn a_key_goes_an_hour_after_its_successor_came() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyFolders::new(folder.path());
        keys.ensure(&[]).unwrap();
        let first = user_keys(&keys.users()).unwrap()[0].0.clone();
        let second = add_user_key(folder.path()).unwrap();
        assert!(second > first);
        assert!(
            retire_user_keys(folder.path()).unwrap().is_empty(),
            "its tokens live"
        );
        let long_ago = SystemTime::now() - Duration::from_hours(2);
        for kid in [&first, &second] {
            let file = keys.users().join(format!("{kid}.pem"));
            let file = std::fs::File::options().write(true).open(file).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        let third = add_user_key(folder.path()).unwrap();
        assert_eq!(retire_user_keys(folder.path()).unwrap(), [first]);
        let left: Vec<String> = user_keys(&keys.users())
            .unwrap()
            .into_iter()
            .map(|(kid, _)| kid)
            .collect();
        assert_eq!(left, [second, third]);
    }
}
