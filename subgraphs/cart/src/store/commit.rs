//! The one way to write: a script that compares the version and sets everything at once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::CartId;
use service_kit::store;

use super::{Fault, ONCE_TTL, OnceKey, STARTED_TTL, Store};
use crate::domain::Cart;

/// What to do with the pointer to the owner's active cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointer {
    /// Point to this cart.
    Set,
    /// If it points to this cart, keep it alive with it.
    Keep,
}

/// One atomic change.
#[derive(Debug, Clone)]
pub(crate) struct Commit<'a> {
    /// The cart after the change, with its new version; none only stores the outcome.
    pub(crate) cart: Option<&'a Cart>,
    pub(crate) ttl: Duration,
    pub(crate) pointer: Pointer,
    /// The key of the request and its outcome.
    pub(crate) once: Option<(&'a OnceKey, &'a str)>,
    /// When it got its first line, if it does now: it counts as begun in that hour.
    pub(crate) begun: Option<DateTime<Utc>>,
    /// The guest cart that is emptied into this one, and the version it was read with.
    pub(crate) removes: Option<(CartId, i32)>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Committed {
    Done,
    /// The cart was changed since it was read: nothing was written.
    Conflict,
    /// The key's request was done before, with this outcome: nothing was written.
    Seen(String),
}

impl Store {
    /// Writes a change. When this fails the change may have happened all the same; a key tells on the next try.
    pub(crate) async fn commit(&self, change: Commit<'_>) -> Result<Committed, Fault> {
        let document = change
            .cart
            .map(serde_json::to_string)
            .transpose()?
            .unwrap_or_default();
        let (cart_key, version, id) = match change.cart {
            Some(cart) => (self.cart_key(cart.id), cart.version, cart.id.to_string()),
            None => (String::new(), 0, String::new()),
        };
        let owner = change.cart.and_then(|cart| cart.owner);
        let (once_key, outcome) = change
            .once
            .map_or((String::new(), ""), |(key, text)| (self.once_key(key), text));
        let (guest_key, guest_version) = change
            .removes
            .map_or((String::new(), 0), |(id, version)| (self.cart_key(id), version));
        let mut connection = self.connection.clone();
        let mut call = self.script.prepare_invoke();
        call.key(cart_key)
            .key(once_key)
            .key(owner.map(|user| self.active_key(user)).unwrap_or_default())
            .key(guest_key)
            .key(change.begun.map(|at| self.started_key(at)).unwrap_or_default())
            .arg(version - 1)
            .arg(version)
            .arg(document)
            .arg(millis(change.ttl))
            .arg(outcome)
            .arg(millis(ONCE_TTL))
            .arg(id)
            .arg(if change.pointer == Pointer::Set {
                "set"
            } else {
                "keep"
            })
            .arg(guest_version)
            .arg(millis(STARTED_TTL));
        let asked = call.invoke_async(&mut connection);
        let answer: Vec<String> = store::ask("redis", "commit", asked).await?;
        let mut answer = answer.into_iter();
        Ok(match answer.next().as_deref() {
            Some("seen") => Committed::Seen(answer.next().unwrap_or_default()),
            Some("conflict") => Committed::Conflict,
            _ => Committed::Done,
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
