//! Changes that happen once per idempotency key. The outcome is stored by the same script as the change.

use contracts::{CartId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, Outcome};
use crate::domain::{Reason, Refusal};
use crate::store::OnceKey;

/// A guest's key is what a lost cart is got back with, so it must be as hard to guess as the cart's id.
const MIN_GUEST_KEY: usize = 16;
const MAX_KEY: usize = 200;

/// A request with a key: where its outcome is kept and what else the key may not be used for.
#[derive(Debug, Clone)]
pub(super) struct Once {
    pub(super) key: OnceKey,
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct Record {
    hash: String,
    outcome: Outcome<CartId>,
}

impl Once {
    /// The creation of a cart, by a user or a guest.
    pub(super) fn create<I: Serialize>(owner: Option<UserId>, key: &str, input: &I) -> Result<Self, Error> {
        if owner.is_none() && key.len() < MIN_GUEST_KEY {
            return Err(Error::Invalid(
                "a guest's idempotencyKey has at least 16 characters, such as a random UUID",
            ));
        }
        let principal = owner.map_or("guest".to_owned(), |user| user.to_string());
        Self::new(&format!("create:{principal}"), key, input)
    }

    /// A change of a cart.
    pub(super) fn change<I: Serialize>(cart_id: CartId, key: &str, input: &I) -> Result<Self, Error> {
        Self::new(&format!("change:{cart_id}"), key, input)
    }

    fn new<I: Serialize>(scope: &str, key: &str, input: &I) -> Result<Self, Error> {
        if !(1..=MAX_KEY).contains(&key.len()) {
            return Err(Error::Invalid("an idempotencyKey has 1 to 200 characters"));
        }
        let key = OnceKey(format!("{scope}:{:x}", Sha256::digest(key)));
        let hash = format!("{:x}", Sha256::digest(serde_json::to_vec(input)?));
        Ok(Self { key, hash })
    }

    /// The outcome as it is stored.
    pub(super) fn record(&self, outcome: Outcome<CartId>) -> Result<String, Error> {
        Ok(serde_json::to_string(&Record {
            hash: self.hash.clone(),
            outcome,
        })?)
    }

    /// The outcome of the first time, unless that was another request.
    pub(super) fn replay(&self, text: &str) -> Result<Outcome<CartId>, Error> {
        let record: Record = serde_json::from_str(text)?;
        if record.hash == self.hash {
            return Ok(record.outcome);
        }
        Ok(Err(vec![Refusal::at(
            Reason::IdempotencyKeyReused,
            &["idempotencyKey"],
        )]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_key_belongs_to_one_request() {
        let cart = CartId::from_uuid(Uuid::nil());
        let first = Once::change(cart, "key", &("a", 1)).unwrap();
        let stored = first.record(Ok(cart)).unwrap();
        assert_eq!(first.replay(&stored).unwrap(), Ok(cart));
        let other = Once::change(cart, "key", &("a", 2)).unwrap();
        assert_eq!(first.key, other.key);
        assert_eq!(
            other.replay(&stored).unwrap().unwrap_err()[0].reason,
            Reason::IdempotencyKeyReused
        );
    }

    #[test]
    fn keys_have_a_length() {
        let cart = CartId::from_uuid(Uuid::nil());
        assert!(Once::change(cart, "", &()).is_err());
        assert!(Once::change(cart, &"x".repeat(201), &()).is_err());
        assert!(Once::create(None, "short", &()).is_err());
        assert!(Once::create(None, "0123456789abcdef", &()).is_ok());
        assert!(Once::create(Some(UserId::from_uuid(Uuid::nil())), "short", &()).is_ok());
    }
}
