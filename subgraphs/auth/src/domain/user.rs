//! A user as the graph shows one.

use chrono::{DateTime, Utc};
use contracts::UserId;
use service_auth::Roles;

use super::Refusal;

const MAX_NAME: usize = 80;

/// A registered user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) display_name: String,
    pub(crate) roles: Roles,
    pub(crate) created_at: DateTime<Utc>,
    /// Since when the user is shut out.
    pub(crate) disabled_at: Option<DateTime<Utc>>,
}

/// A name to show: 1 to 80 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DisplayName(String);

impl DisplayName {
    pub(crate) fn try_new(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let fits = (1..=MAX_NAME).contains(&text.chars().count());
        if fits && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::DisplayNameInvalid)
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        assert_eq!(DisplayName::try_new("  Ada ").unwrap().into_string(), "Ada");
        let long = "x".repeat(81);
        for bad in ["", "   ", "a\u{0}b", "a\nb", &long] {
            assert_eq!(
                DisplayName::try_new(bad),
                Err(Refusal::DisplayNameInvalid),
                "{bad:?}"
            );
        }
    }
}
