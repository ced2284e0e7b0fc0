//! How many sockets there may be, in all and of one user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use contracts::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts sockets.
#[derive(Clone)]
pub(super) struct Quota {
    places: Arc<Semaphore>,
    users: Arc<Mutex<HashMap<UserId, usize>>>,
    per_user: usize,
}

impl Quota {
    pub(super) fn new(sockets: usize, per_user: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(sockets)),
            users: Arc::default(),
            per_user,
        }
    }

    /// A place for one socket, if any is left.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// One of the user's sockets, if they may have one more.
    pub(super) fn claim(&self, user: UserId) -> Option<UserSocket> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let open = users.entry(user).or_insert(0);
        if *open >= self.per_user {
            return None;
        }
        *open += 1;
        Some(UserSocket {
            quota: self.clone(),
            user,
        })
    }
}

/// A user's socket; given back when dropped.
pub(super) struct UserSocket {
    quota: Quota,
    user: UserId,
}

impl Drop for UserSocket {
    fn drop(&mut self) {
        let mut users = self.quota.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = users.get_mut(&self.user) {
            *open -= 1;
            if *open == 0 {
                users.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let quota = Quota::new(1, 1);
        let user = UserId::generate();
        let place = quota.enter();
        assert!(place.is_some() && quota.enter().is_none());
        drop(place);
        assert!(quota.enter().is_some());

        let socket = quota.claim(user);
        assert!(socket.is_some() && quota.claim(user).is_none());
        assert!(quota.claim(UserId::generate()).is_some(), "another user");
        drop(socket);
        assert!(quota.claim(user).is_some());
    }
}
