//! Refresh tokens: 256 opaque bits, each derived from the one before it.
//!
//! The successor of a token is HMAC(key of the session, token). So it need not be stored readably to be told twice,
//! and without the session's key nobody can walk from an old token to the present one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// A reply may get lost: for so long the same question gets the same answer.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A refresh token as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// The first of a session, of random bytes.
    pub(crate) const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads one; anything else is no token at all.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // 32 bytes are 43 characters: no need to decode a longer text.
        let bytes = (text.len() == 43).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        bytes.try_into().ok().map(Self)
    }

    /// The text its holder keeps.
    pub(crate) fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The token after this one.
    pub(crate) fn successor(&self, rotation_key: &[u8]) -> Self {
        let mut bytes = [0; 32];
        // HMAC takes a key of any length.
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(rotation_key) {
            bytes = mac.chain_update(self.0).finalize().into_bytes().into();
        }
        Self(bytes)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a refresh token is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the present one: rotate.
    Present,
    /// It was rotated a moment ago and its successor was not used: tell that one again.
    Repeat,
    /// Somebody has a copy: end the family.
    Reused,
}

/// Judges a token by when it and its successor were used.
pub(crate) fn standing(
    used_at: Option<DateTime<Utc>>,
    successor_used_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Standing {
    match used_at {
        None => Standing::Present,
        Some(used_at) if now < used_at + GRACE && successor_used_at.is_none() => Standing::Repeat,
        Some(_) => Standing::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_back(bytes: [u8; 32]) {
            let token = RefreshToken::from_random(bytes);
            prop_assert_eq!(RefreshToken::parse(&token.reveal()), Some(token));
        }

        #[test]
        fn the_successor_depends_on_both(bytes: [u8; 32], key: [u8; 32], other: [u8; 32]) {
            prop_assume!(key != other);
            let token = RefreshToken::from_random(bytes);
            prop_assert_eq!(token.successor(&key), token.successor(&key));
            prop_assert_ne!(token.successor(&key), token.successor(&other));
            prop_assert_ne!(token.successor(&key), token.clone());
            prop_assert_ne!(token.successor(&key).successor(&key), token.successor(&key));
        }

        #[test]
        fn any_other_text_is_no_token(text in "\\PC{0,60}") {
            prop_assume!(text.len() != 43);
            prop_assert_eq!(RefreshToken::parse(&text), None);
        }
    }

    #[test]
    fn a_token_counts_once_and_repeats_for_a_moment() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        assert_eq!(standing(None, None, now), Standing::Present);
        assert_eq!(standing(ago(0), None, now), Standing::Repeat);
        assert_eq!(standing(ago(9), None, now), Standing::Repeat);
        assert_eq!(standing(ago(10), None, now), Standing::Reused);
        assert_eq!(
            standing(ago(5), ago(1), now),
            Standing::Reused,
            "its successor is in use"
        );
    }
}
