//! E-mail addresses: as typed, and as compared.

use unicode_normalization::UnicodeNormalization;

use super::Refusal;

const MAX_LEN: usize = 254;
const MAX_LOCAL: usize = 64;

/// An address that could be one; only a message to it would prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    pub(crate) fn try_new(text: &str) -> Result<Self, Refusal> {
        let text: String = text.trim().nfc().collect();
        if is_plausible(&text) {
            Ok(Self(text))
        } else {
            Err(Refusal::EmailInvalid)
        }
    }

    /// As typed, for people and for mail.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As compared: addresses that differ only in case are the same user.
    pub(crate) fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

fn is_plausible(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"' | '\\')
    };
    let labels_are_filled = domain.split('.').all(|label| !label.is_empty());
    text.len() <= MAX_LEN
        && (1..=MAX_LOCAL).contains(&local.len())
        && domain.contains('.')
        && labels_are_filled
        && !local.contains(odd)
        && !domain.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_case_or_composition_are_one() {
        let (a, b) = (
            Email::try_new(" Ada@Example.COM ").unwrap(),
            Email::try_new("ada@example.com").unwrap(),
        );
        assert_eq!(a.key(), b.key());
        assert_eq!(a.as_str(), "Ada@Example.COM");
        let composed = Email::try_new("jos\u{e9}@example.com").unwrap();
        let decomposed = Email::try_new("jose\u{301}@example.com").unwrap();
        assert_eq!(composed, decomposed);
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b".repeat(254));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@.com",
            "ada@example..com",
            "a b@example.com",
            "a@b@example.com",
            "ada@exa\u{0}mple.com",
            "Ada <ada@example.com>",
            &long,
            &longer,
        ] {
            assert_eq!(Email::try_new(bad), Err(Refusal::EmailInvalid), "{bad:?}");
        }
    }
}
