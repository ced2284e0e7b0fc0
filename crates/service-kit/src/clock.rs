//! The time of day as a parameter, so that tests can set it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time; cheap to clone, and clones of a manual clock move together.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `at` until moved.
    pub fn manual(at: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(at))))
    }

    /// The present instant, to the microsecond: what PostgreSQL keeps, so that an instant told at once and the same
    /// one read back later are equal.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
            Source::System => Utc::now().trunc_subsecs(6),
            Source::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward; the machine's clock moves by itself and ignores this.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(at) = &self.0 {
            *at.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// Sets a manual clock; the machine's clock ignores this.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Source::Manual(at) = &self.0 {
            *at.lock().unwrap_or_else(PoisonError::into_inner) = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whole_microseconds() {
        assert!((0..100).all(|_| {
            Clock::system()
                .now()
                .timestamp_subsec_nanos()
                .is_multiple_of(1000)
        }));
    }

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let twin = clock.clone();
        clock.advance(Duration::from_secs(61));
        assert_eq!(twin.now().timestamp(), 61);
        twin.set(DateTime::UNIX_EPOCH);
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
    }

    #[test]
    fn the_system_clock_ignores_being_set() {
        let clock = Clock::system();
        clock.set(DateTime::UNIX_EPOCH);
        assert!(clock.now() > DateTime::UNIX_EPOCH);
    }
}
