//! Stops calling a service that doesn't answer, and lets one call through now and then to see whether it is back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Breaker {
    threshold: u32,
    cool_down: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// One probe is out; a probe that never reports is given up at `until`.
    HalfOpen {
        until: Instant,
    },
}

impl Breaker {
    pub(crate) const fn new(threshold: u32, cool_down: Duration) -> Self {
        Self {
            threshold,
            cool_down,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// Whether a call may go out; otherwise how long to wait.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until } | State::HalfOpen { until } if now < until => Err(until - now),
            State::Open { .. } | State::HalfOpen { .. } => {
                *state = State::HalfOpen {
                    until: now + self.cool_down,
                };
                Ok(())
            }
        }
    }

    /// For the metric: 0 closed, 1 a probe is out, 2 open.
    pub(crate) fn level(&self) -> i64 {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Closed { .. } => 0,
            State::HalfOpen { .. } => 1,
            State::Open { .. } => 2,
        }
    }

    pub(crate) fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Closed { failures: 0 };
    }

    /// Counts a failure; true when this one opened the breaker.
    pub(crate) fn failed(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = match *state {
            State::Closed { failures } => failures + 1,
            State::HalfOpen { .. } => self.threshold,
            // A call that left before it opened changes nothing.
            State::Open { .. } => return false,
        };
        let opens = failures >= self.threshold;
        *state = if opens {
            State::Open {
                until: now + self.cool_down,
            }
        } else {
            State::Closed { failures }
        };
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOL_DOWN: Duration = Duration::from_secs(2);

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::new(3, COOL_DOWN), Instant::now());
        assert!(!breaker.failed(now) && !breaker.failed(now));
        breaker.succeeded();
        assert!(!breaker.failed(now) && !breaker.failed(now));
        assert_eq!(breaker.admit(now), Ok(()));
        assert!(breaker.failed(now));
        assert_eq!(breaker.admit(now), Err(COOL_DOWN));
    }

    #[test]
    fn lets_one_probe_through_and_closes_or_reopens_by_it() {
        let (breaker, now) = (Breaker::new(1, COOL_DOWN), Instant::now());
        assert_eq!(breaker.level(), 0);
        breaker.failed(now);
        assert_eq!(breaker.level(), 2);
        let later = now + COOL_DOWN;
        assert_eq!(breaker.admit(later), Ok(()), "the probe");
        assert_eq!(breaker.level(), 1);
        assert!(breaker.admit(later).is_err(), "no second one");
        assert!(breaker.failed(later), "reopens at the first failure");
        let later = later + COOL_DOWN;
        assert_eq!(breaker.admit(later), Ok(()));
        breaker.succeeded();
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn a_lost_probe_does_not_block_for_ever() {
        let (breaker, now) = (Breaker::new(1, COOL_DOWN), Instant::now());
        breaker.failed(now);
        assert_eq!(breaker.admit(now + COOL_DOWN), Ok(()));
        assert_eq!(breaker.admit(now + COOL_DOWN * 2), Ok(()));
    }

    #[test]
    fn a_late_failure_does_not_prolong_the_pause() {
        let (breaker, now) = (Breaker::new(1, COOL_DOWN), Instant::now());
        breaker.failed(now);
        assert!(!breaker.failed(now + COOL_DOWN / 2));
        assert_eq!(breaker.admit(now + COOL_DOWN), Ok(()));
    }
}
