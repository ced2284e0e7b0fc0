//! Auth: where somebody is written to.

use std::collections::HashMap;
use std::sync::Arc;

use contracts::UserId;
use contracts::auth::{Contact, ContactLookup, Contacts};
use service_auth::{ClientLimits, ServiceClient, ServiceKey};
use url::Url;

use crate::domain::mail::Failure;

/// The auth service.
#[derive(Clone)]
pub struct Auth(ServiceClient);

impl Auth {
    /// A client of auth at `base` that signs with `key`.
    pub fn new(base: Url, key: Arc<ServiceKey>) -> Self {
        Self(ServiceClient::new("auth", base, key, ClientLimits::default()))
    }

    /// The contacts of these users; unknown ones are left out.
    pub(crate) async fn contacts(&self, user_ids: Vec<UserId>) -> Result<HashMap<UserId, Contact>, Failure> {
        let body = ContactLookup { user_ids };
        let answer: Result<Contacts, _> = self.0.post("/contacts/lookup", &body).await;
        // A refusal too is about us, never about the mail: a key that is not known yet, a route that is not there yet.
        let found =
            answer.map_err(|error| Failure::Away(format!("auth does not tell the address: {error}")))?;
        let known = found.contacts.into_iter();
        Ok(known.map(|contact| (contact.user_id, contact)).collect())
    }
}
