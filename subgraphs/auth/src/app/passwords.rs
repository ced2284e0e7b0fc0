//! Hashes passwords with Argon2id: off the runtime's threads, a few at a time.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::Error;
use crate::domain::Password;

/// OWASP's least: each hash takes 19 MiB, which is why only a few run at a time.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const MAX_AT_ONCE: usize = 4;
/// Whoever waits longer is told to come back, instead of piling up.
const PATIENCE: Duration = Duration::from_secs(2);
/// A hash of nothing, checked for unknown users so that they take as long as known ones.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wrong, or nobody's.
    Wrong,
    /// Right.
    Right,
    /// Right, but hashed with weaker parameters than today's: hash it anew.
    Outdated,
}

/// The hasher; clones share its limit.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Semaphore>);

impl Passwords {
    pub(crate) fn new() -> Self {
        // More than there are cores would take memory and no less time.
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new(cores.min(MAX_AT_ONCE))))
    }

    /// The PHC string of a new password.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Error> {
        self.limited(move || {
            let hash: PasswordHash = hasher()?
                .hash_password(password.as_bytes())
                .map_err(|error| Error::Hash(error.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Checks a password against a user's hash; without one it takes as long and is wrong.
    pub(crate) async fn verify(&self, password: Password, hash: Option<String>) -> Result<Verdict, Error> {
        self.limited(move || {
            let text = hash.as_deref().unwrap_or(DUMMY);
            let parsed = PasswordHash::new(text).map_err(|error| Error::Hash(error.to_string()))?;
            let right = hasher()?.verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(match (right && hash.is_some(), is_current(&parsed)) {
                (false, _) => Verdict::Wrong,
                (true, true) => Verdict::Right,
                (true, false) => Verdict::Outdated,
            })
        })
        .await
    }

    async fn limited<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = tokio::time::timeout(PATIENCE, self.0.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            // Given back when the memory is, even if the caller went away.
            let _permit = permit;
            work()
        });
        task.await.map_err(|error| Error::Hash(error.to_string()))?
    }
}

fn hasher() -> Result<Argon2<'static>, Error> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| Error::Hash(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn is_current(hash: &PasswordHash) -> bool {
    let strong = |params: Params| {
        params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES && params.p_cost() >= LANES
    };
    hash.algorithm.as_str() == "argon2id" && Params::try_from(hash).is_ok_and(strong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let passwords = Passwords::new();
        let hash = passwords.hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verdict = |text, hash| passwords.verify(password(text), hash);
        assert_eq!(
            verdict("correct horse", Some(hash.clone())).await.unwrap(),
            Verdict::Right
        );
        assert_eq!(
            verdict("correct horsf", Some(hash.clone())).await.unwrap(),
            Verdict::Wrong
        );
        assert_eq!(verdict("correct horse", None).await.unwrap(), Verdict::Wrong);
        assert_ne!(
            passwords.hash(password("correct horse")).await.unwrap(),
            hash,
            "salted"
        );
    }

    #[tokio::test]
    async fn weaker_parameters_ask_for_a_new_hash() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8 * 1024, 1, 1, None).unwrap(),
        );
        let hash: PasswordHash = weak.hash_password(b"correct horse").unwrap();
        let verdict = Passwords::new()
            .verify(password("correct horse"), Some(hash.to_string()))
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::Outdated);
    }

    #[test]
    fn the_dummy_costs_what_a_real_one_costs() {
        let dummy = PasswordHash::new(DUMMY).unwrap();
        let params = Params::try_from(&dummy).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert!(is_current(&dummy));
    }
}
