//! Times that were taken, and what they say.

use std::time::Duration;

/// Times of one thing done again and again.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    times: Vec<Duration>,
    is_sorted: bool,
}

impl Sample {
    /// Adds a time.
    pub fn add(&mut self, time: Duration) {
        self.times.push(time);
        self.is_sorted = false;
    }

    /// The time within which `percent` of them were done (nearest rank); zero when there is none.
    pub fn percentile(&mut self, percent: usize) -> Duration {
        if !self.is_sorted {
            self.times.sort_unstable();
            self.is_sorted = true;
        }
        let rank = (self.times.len() * percent).div_ceil(100).max(1);
        self.times.get(rank - 1).copied().unwrap_or_default()
    }
}

/// How many times the first the second is.
pub fn ratio(first: Duration, second: Duration) -> f64 {
    second.as_secs_f64() / first.as_secs_f64().max(f64::EPSILON)
}

/// Milliseconds with two decimals.
pub fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred() {
        let mut sample = Sample::default();
        assert_eq!(sample.percentile(50), Duration::ZERO);
        for n in (1..=200).rev() {
            sample.add(Duration::from_millis(n));
        }
        for (percent, expected) in [(0, 1), (50, 100), (99, 198), (100, 200)] {
            assert_eq!(
                sample.percentile(percent),
                Duration::from_millis(expected),
                "{percent}"
            );
        }
        sample.add(Duration::from_millis(500));
        assert_eq!(sample.percentile(100), Duration::from_millis(500));
    }

    #[test]
    fn ratios_and_milliseconds_are_read_easily() {
        let (one, two) = (Duration::from_micros(1_500), Duration::from_millis(3));
        assert!((ratio(one, two) - 2.0).abs() < 1e-9);
        assert_eq!(ms(one), "1.50");
    }
}
