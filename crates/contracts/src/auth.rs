//! What auth tells other services.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// Body of `POST /contacts/lookup`: at most 100 ids; unknown ones are left out of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactLookup {
    /// The users asked about.
    pub user_ids: Vec<UserId>,
}

/// Answer of `POST /contacts/lookup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// One entry per known user, in no particular order.
    pub contacts: Vec<Contact>,
}

/// How a user is written to. Asked for when a mail is sent, and kept nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The user.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// What they want to be called.
    pub display_name: String,
}

/// Shows whose contact it is, not what it says: logs know no addresses.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact")
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}
