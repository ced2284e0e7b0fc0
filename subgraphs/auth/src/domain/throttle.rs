//! How failed logins slow the next one down.

use std::time::Duration;

/// After `free` failures in a row each further attempt waits twice as long as the one before, up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Throttle {
    pub(crate) free: u32,
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
}

impl Throttle {
    /// One account: a person mistypes a few times.
    pub(crate) const ACCOUNT: Self = Self {
        free: 5,
        base: Duration::from_secs(2),
        cap: Duration::from_mins(15),
    };
    /// One address: an office shares one.
    pub(crate) const ADDRESS: Self = Self {
        free: 30,
        base: Duration::from_secs(1),
        cap: Duration::from_mins(15),
    };
}
