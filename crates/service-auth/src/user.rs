//! The user behind a request, as the token tells it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use contracts::{SessionId, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a user may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Buys.
    Customer,
    /// Helps customers: sees everything of theirs, changes little.
    Support,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// Every role, in rising order.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Support, Self::Admin];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Support => "SUPPORT",
            Self::Admin => "ADMIN",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Customer => 1,
            Self::Support => 2,
            Self::Admin => 4,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// A role's name that isn't one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown role")]
pub struct UnknownRole;

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Roles(u8);

impl Roles {
    /// Whether `role` is among them.
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles in rising order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl From<&[Role]> for Roles {
    fn from(roles: &[Role]) -> Self {
        roles.iter().copied().collect()
    }
}

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Role>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A user whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentUser {
    /// Who.
    pub id: UserId,
    /// What they may be.
    pub roles: Roles,
    /// The session that the token came from.
    pub session: SessionId,
    /// When the token ends; a stream opened with it ends then.
    pub expires_at: DateTime<Utc>,
}

impl CurrentUser {
    /// Whether the user has `role`.
    pub const fn has(&self, role: Role) -> bool {
        self.roles.has(role)
    }

    /// Whether the user is SUPPORT or ADMIN.
    pub const fn is_staff(&self) -> bool {
        self.has(Role::Support) || self.has(Role::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_set_with_a_fixed_order_on_the_wire() {
        let roles = Roles::from([Role::Admin, Role::Customer, Role::Admin].as_slice());
        assert_eq!(serde_json::to_string(&roles).unwrap(), r#"["CUSTOMER","ADMIN"]"#);
        assert_eq!(
            serde_json::from_str::<Roles>(r#"["ADMIN","CUSTOMER"]"#).unwrap(),
            roles
        );
        assert!(serde_json::from_str::<Roles>(r#"["ROOT"]"#).is_err());
        assert_eq!("SUPPORT".parse(), Ok(Role::Support));
        assert_eq!("support".parse::<Role>(), Err(UnknownRole));
    }
}
