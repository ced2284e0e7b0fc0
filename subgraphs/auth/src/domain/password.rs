//! Passwords: what may become one. Never shown, never logged.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::Refusal;

const MIN_BYTES: usize = 8;
const MAX_BYTES: usize = 1024;

/// The most used passwords of at least eight characters in published leaks, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password in NFC, so that it is the same from every keyboard.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// As typed at a login: anything up to the length that is worth hashing.
    pub(crate) fn typed(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_BYTES * 4 {
            return Err(Refusal::InvalidCredentials);
        }
        let normal: String = text.nfc().collect();
        if normal.len() > MAX_BYTES {
            Err(Refusal::InvalidCredentials)
        } else {
            Ok(Self(normal))
        }
    }

    /// A new one: long enough, not on everybody's list, and not the address itself.
    pub(crate) fn chosen(text: &str, email_key: &str) -> Result<Self, Refusal> {
        let password =
            Self::typed(text).map_err(|_| Refusal::PasswordTooWeak("A password has at most 1024 bytes"))?;
        let lower = password.0.to_lowercase();
        if password.0.len() < MIN_BYTES {
            return Err(Refusal::PasswordTooWeak("A password has at least 8 bytes"));
        }
        if COMMON.lines().any(|common| common == lower) || is_monotonous(&lower) {
            return Err(Refusal::PasswordTooWeak(
                "This password is among the first that anybody would try",
            ));
        }
        if lower == email_key || email_key.split('@').next() == Some(lower.as_str()) {
            return Err(Refusal::PasswordTooWeak(
                "The password must not be the e-mail address",
            ));
        }
        Ok(password)
    }

    /// For the hash alone.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn is_monotonous(text: &str) -> bool {
    let first = text.chars().next();
    text.chars().all(|c| Some(c) == first)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<Password, Refusal> {
        Password::chosen(text, "margaret@example.com")
    }

    #[test]
    fn weak_passwords_are_refused() {
        for weak in [
            "",
            "short",
            "1234567",
            "password",
            "PassWord1",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "margaret",
            "Margaret@Example.com",
        ] {
            assert!(matches!(chosen(weak), Err(Refusal::PasswordTooWeak(_))), "{weak}");
        }
        assert!(
            matches!(chosen(&"é".repeat(600)), Err(Refusal::PasswordTooWeak(_))),
            "1200 bytes"
        );
        assert!(matches!(
            chosen(&"x".repeat(100_000)),
            Err(Refusal::PasswordTooWeak(_))
        ));
    }

    #[test]
    fn length_and_common_ones_are_the_only_rules() {
        for fine in [
            "correct horse battery staple",
            "пароль-из-кухни",
            "8bytes!!",
            &"ab".repeat(512),
        ] {
            assert!(chosen(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn the_same_characters_composed_differently_are_the_same_password() {
        assert_eq!(chosen("caf\u{e9} au lait"), chosen("cafe\u{301} au lait"));
    }

    #[test]
    fn a_password_never_shows() {
        assert_eq!(format!("{:?}", chosen("canary-canary").unwrap()), "***");
    }

    #[test]
    fn the_list_is_usable() {
        assert!(COMMON.lines().count() >= 100);
        assert!(
            COMMON
                .lines()
                .all(|line| line.len() >= MIN_BYTES && line == line.to_lowercase())
        );
    }
}
