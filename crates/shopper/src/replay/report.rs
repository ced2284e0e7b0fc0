//! What a replay came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::console::seconds;

/// How a basket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Paid, this long after the order was sent.
    Paid(Duration),
    /// Not sold, for a reason of the business.
    Refused(String),
    /// Something did not work.
    Failed(String),
}

/// Counts and times.
#[derive(Debug)]
pub struct Report {
    started: Instant,
    took: Duration,
    paid: Vec<Duration>,
    refused: BTreeMap<String, u64>,
    failed: u64,
}

impl Report {
    /// An empty report of a replay that begins now.
    pub fn new(started: Instant) -> Self {
        Self {
            started,
            took: Duration::ZERO,
            paid: Vec::new(),
            refused: BTreeMap::new(),
            failed: 0,
        }
    }

    /// Counts a basket.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Paid(took) => self.paid.push(took),
            Outcome::Refused(reason) => *self.refused.entry(reason).or_default() += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }

    /// Stops the clock.
    pub fn end(&mut self, now: Instant) {
        self.took = now.saturating_duration_since(self.started);
        self.paid.sort_unstable();
    }

    /// Orders that were paid.
    pub fn paid(&self) -> usize {
        self.paid.len()
    }

    /// Whether every basket came to an end that the business knows.
    pub const fn is_clean(&self) -> bool {
        self.failed == 0
    }

    /// The time within which `percent` of the paid orders were paid (nearest rank).
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.paid.len() * percent).div_ceil(100).max(1);
        self.paid.get(rank - 1).copied()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: u64 = self.refused.values().sum();
        let ended = self.paid.len() as u64 + refused;
        writeln!(f, "{:>8} paid", self.paid.len())?;
        writeln!(f, "{refused:>8} refused")?;
        for (reason, count) in &self.refused {
            writeln!(f, "{count:>16} {reason}")?;
        }
        writeln!(f, "{:>8} failed", self.failed)?;
        let rate =
            f64::from(u32::try_from(ended).unwrap_or(u32::MAX)) / self.took.as_secs_f64().max(f64::EPSILON);
        writeln!(f, "{rate:>8.1} orders/s over {}", seconds(self.took))?;
        write!(f, "from createOrder sent to PAID seen on the subscription:")?;
        for percent in [50, 90, 99] {
            match self.percentile(percent) {
                Some(time) => write!(f, "  p{percent} {}", seconds(time))?,
                None => write!(f, "  p{percent} -")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred() {
        let started = Instant::now();
        let mut report = Report::new(started);
        assert_eq!(report.percentile(50), None);
        for ms in (1..=100).rev() {
            report.add(Outcome::Paid(Duration::from_millis(ms)));
        }
        report.add(Outcome::Refused("OUT_OF_STOCK".to_owned()));
        report.end(started + Duration::from_secs(10));
        assert_eq!(report.percentile(50), Some(Duration::from_millis(50)));
        assert_eq!(report.percentile(99), Some(Duration::from_millis(99)));
        let text = report.to_string();
        assert!(text.contains("10.1 orders/s over 10.000 s"), "{text}");
        assert!(text.contains("1 OUT_OF_STOCK"), "{text}");
        assert!(report.is_clean());
    }
}
