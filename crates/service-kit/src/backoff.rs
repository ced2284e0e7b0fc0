//! How long to wait before the next attempt.

use std::time::Duration;

use rand::Rng;

/// Exponential back-off with full jitter: attempt `n` waits a random time up to `base * 2^n`, never beyond `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of any wait.
    pub cap: Duration,
}

impl Backoff {
    /// The wait after failed attempt number `attempt`, counted from 0.
    pub fn delay(&self, attempt: u32) -> Duration {
        let ceiling = self.ceiling(attempt);
        ceiling.mul_f64(rand::rng().random_range(0.0..=1.0))
    }

    fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stays_within_its_bounds(base_ms in 0_u64..10_000, cap_ms in 0_u64..100_000, attempt: u32) {
            let backoff = Backoff { base: Duration::from_millis(base_ms), cap: Duration::from_millis(cap_ms) };
            let delay = backoff.delay(attempt);
            prop_assert!(delay <= backoff.cap);
            if attempt < 10 {
                prop_assert!(delay <= backoff.base * 2_u32.pow(attempt));
            }
        }

        #[test]
        fn ceiling_never_shrinks(attempt in 0_u32..100) {
            let backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) };
            prop_assert!(backoff.ceiling(attempt) <= backoff.ceiling(attempt + 1));
        }
    }
}
