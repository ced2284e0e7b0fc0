//! Keeps the secrets of endpoints unreadable in the database: AES-256-GCM, sealed for the row that holds them.
//!
//! They must be usable to sign, so a hash would not do. Must not know who asks.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

/// Seals and opens; cheap to clone. The first key seals, all of them open.
#[derive(Clone)]
pub struct Vault(Arc<[LessSafeKey]>);

/// Why something was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The text holds no keys.
    #[error("WEBHOOK_KEY is one key or more, commas between: 64 hexadecimal digits each")]
    Key,
    /// No key of ours sealed it, or not for this row.
    #[error("a secret can't be opened with WEBHOOK_KEY")]
    Sealed,
}

impl FromStr for Vault {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, VaultError> {
        let keys = text.trim().split(',').map(|key| {
            let bytes = hex::decode(key.trim()).map_err(|_| VaultError::Key)?;
            let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::Key)?;
            Ok(LessSafeKey::new(key))
        });
        Ok(Self(keys.collect::<Result<_, _>>()?))
    }
}

impl Vault {
    /// Seals what belongs into row `id`. The nonce goes before it.
    pub(crate) fn seal(&self, id: Uuid, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Result<Vec<u8>, VaultError> {
        let key = self.0.first().ok_or(VaultError::Key)?;
        let mut sealed = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(id.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| VaultError::Sealed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for row `id`.
    pub(crate) fn open(&self, id: Uuid, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(VaultError::Sealed)?;
        let opened = self.0.iter().find_map(|key| {
            let mut bytes = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let plain = key
                .open_in_place(nonce, Aad::from(id.as_bytes()), &mut bytes)
                .ok()?;
            Some(plain.to_vec())
        });
        opened.ok_or(VaultError::Sealed)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const TWO: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

    fn vault(text: &str) -> Vault {
        text.parse().unwrap()
    }

    #[test]
    fn opens_what_it_sealed_for_the_same_row_alone() {
        let (row, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = vault(ONE).seal(row, b"secret", [7; NONCE_LEN]).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(vault(ONE).open(row, &sealed).unwrap(), b"secret");
        assert_eq!(vault(ONE).open(other, &sealed), Err(VaultError::Sealed));
        assert_eq!(vault(TWO).open(row, &sealed), Err(VaultError::Sealed));
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(vault(ONE).open(row, &changed), Err(VaultError::Sealed));
        assert_eq!(vault(ONE).open(row, b"short"), Err(VaultError::Sealed));
    }

    #[test]
    fn an_old_key_still_opens() {
        let row = Uuid::from_u128(1);
        let sealed = vault(ONE).seal(row, b"secret", [7; NONCE_LEN]).unwrap();
        let both = vault(&format!("{TWO},{ONE}"));
        assert_eq!(both.open(row, &sealed).unwrap(), b"secret");
        let fresh = both.seal(row, b"secret", [8; NONCE_LEN]).unwrap();
        assert_eq!(vault(TWO).open(row, &fresh).unwrap(), b"secret");
    }

    #[test]
    fn a_key_has_its_length_and_is_never_shown() {
        for wrong in [
            "",
            "secret",
            "AAAA",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f,",
        ] {
            assert_eq!(wrong.parse::<Vault>().unwrap_err(), VaultError::Key, "{wrong}");
        }
        assert_eq!(format!("{:?}", vault(ONE)), "Vault(1 keys)");
    }
}
