//! When a store that one can do without fails, such as a cache, nobody waits for it for a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const FAILURES_TO_OPEN: u32 = 3;
const OPEN_FOR: Duration = Duration::from_secs(2);

/// Closed: ask. Open: don't, except for one trial now and then.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether to ask now. When a trial is due, one caller makes it.
    pub fn may_ask(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.open_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.open_until = Some(now + OPEN_FOR);
                true
            }
            None => true,
        }
    }

    /// An answer came; true if it had been open.
    pub fn succeeded(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *state).open_until.is_some()
    }

    /// None came; true if this opened it.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures < FAILURES_TO_OPEN {
            return false;
        }
        state.open_until.replace(now + OPEN_FOR).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_three_and_lets_one_try() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        assert!(!breaker.failed(now) && !breaker.failed(now));
        assert!(breaker.may_ask(now));
        assert!(breaker.failed(now), "the third opens it");
        assert!(!breaker.may_ask(now));
        let later = now + OPEN_FOR;
        assert!(breaker.may_ask(later) && !breaker.may_ask(later), "one trial");
        assert!(!breaker.failed(later), "it was open");
        assert!(breaker.may_ask(later + OPEN_FOR));
        assert!(breaker.succeeded() && !breaker.succeeded());
        assert!(breaker.may_ask(later));
    }
}
