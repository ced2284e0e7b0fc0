//! Proof that faults happened: what is counted here is printed in the report, and a zero fails the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A stretch of time in which something was broken.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub(crate) kind: &'static str,
    /// Whether no order can be expected to end meanwhile.
    pub(crate) stops_orders: bool,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

/// All that was done to the system.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Faults by kind.
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// How many open orders were in which state when a service was killed.
    pub(crate) killed_in: BTreeMap<String, u64>,
    pub(crate) outages: Vec<Outage>,
    /// Processes that are down or being restarted by us.
    pub(crate) down: BTreeSet<String>,
    /// What could not be injected, or did not come back.
    pub(crate) failures: Vec<String>,
}

/// Shared by all who break things.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence(Arc<Mutex<Record>>);

impl Evidence {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Record) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn add(&self, kind: &'static str, count: u64) {
        self.with(|record| *record.counts.entry(kind).or_default() += count);
    }

    pub(crate) fn failed(&self, how: String) {
        self.with(|record| record.failures.push(how));
    }

    /// Notes a fault that ends now.
    pub(crate) fn outage(&self, kind: &'static str, stops_orders: bool, from: Instant) {
        let to = Instant::now();
        self.with(|record| {
            record.outages.push(Outage {
                kind,
                stops_orders,
                from,
                to,
            });
        });
    }

    pub(crate) fn going_down(&self, process: &str) {
        self.with(|record| record.down.insert(process.to_owned()));
    }

    pub(crate) fn is_up_again(&self, process: &str) {
        self.with(|record| record.down.remove(process));
    }
}

impl Record {
    /// How much of a stretch all was there that an order needs to end.
    pub(crate) fn undisturbed(&self, from: Instant, to: Instant) -> Duration {
        let mut free = Duration::ZERO;
        let mut at = from;
        let mut outages: Vec<&Outage> = self.outages.iter().filter(|outage| outage.stops_orders).collect();
        outages.sort_by_key(|outage| outage.from);
        for outage in outages {
            if outage.from > at {
                free += outage.from.min(to).saturating_duration_since(at);
            }
            at = at.max(outage.to);
        }
        free + to.saturating_duration_since(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_undisturbed_between_outages() {
        let zero = Instant::now();
        let at = |seconds| zero + Duration::from_secs(seconds);
        let outage = |from, to| Outage {
            kind: "a test",
            stops_orders: true,
            from: at(from),
            to: at(to),
        };
        let harmless = Outage {
            stops_orders: false,
            ..outage(30, 40)
        };
        let record = Record {
            outages: vec![outage(20, 30), outage(5, 10), harmless, outage(8, 12)],
            ..Record::default()
        };
        assert_eq!(record.undisturbed(at(0), at(40)), Duration::from_secs(5 + 8 + 10));
        assert_eq!(record.undisturbed(at(6), at(11)), Duration::ZERO);
        assert_eq!(record.undisturbed(at(25), at(31)), Duration::from_secs(1));
    }
}
