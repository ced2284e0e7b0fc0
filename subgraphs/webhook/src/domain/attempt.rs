//! What became of a try, and what follows.

use std::time::Duration;

/// Waits after the first failure, the second and so on, as Standard Webhooks advises. After the last it is over.
pub const SCHEDULE: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
/// The longest wait an endpoint can ask for.
pub const LONGEST: Duration = Duration::from_hours(24);
/// At most this share of a wait is added, so that what failed together does not come back together.
const JITTER: f64 = 0.2;

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The endpoint answered.
    Answered {
        /// The status.
        status: u16,
        /// `Retry-After`.
        retry_after: Option<Duration>,
        /// The beginning of the body.
        said: String,
    },
    /// Nobody answered in time, or nobody is there.
    Failed(String),
}

/// What is kept of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The endpoint has taken it.
    Delivered {
        /// The status.
        status: u16,
    },
    /// Again after a while.
    Again {
        /// How long.
        after: Duration,
        /// The status, if there was one.
        status: Option<u16>,
        /// Why it failed.
        reason: String,
    },
    /// Given up.
    Dead {
        /// The status, if there was one.
        status: Option<u16>,
        /// Why.
        reason: String,
    },
    /// The endpoint wants nothing any more: 410.
    Gone {
        /// What it said.
        reason: String,
    },
}

impl Tried {
    /// What to keep after try number `attempts`, this one included. `chance` is 0 to 1.
    pub fn verdict(self, attempts: u32, chance: f64) -> Verdict {
        let (status, asked, reason) = match self {
            Self::Answered { status, .. } if (200..300).contains(&status) => {
                return Verdict::Delivered { status };
            }
            Self::Answered {
                status: 410, said, ..
            } => {
                return Verdict::Gone {
                    reason: worded(410, &said),
                };
            }
            Self::Answered {
                status,
                retry_after,
                said,
            } => (Some(status), retry_after, worded(status, &said)),
            Self::Failed(reason) => (None, None, reason),
        };
        let failed = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        match SCHEDULE.get(failed) {
            Some(wait) => Verdict::Again {
                after: wait
                    .mul_f64(1.0 + JITTER * chance)
                    .max(asked.unwrap_or_default())
                    .min(LONGEST.mul_f64(1.0 + JITTER)),
                status,
                reason,
            },
            None => Verdict::Dead {
                status,
                reason: format!("given up after {attempts} tries: {reason}"),
            },
        }
    }
}

fn worded(status: u16, said: &str) -> String {
    if said.is_empty() {
        format!("answered {status}")
    } else {
        format!("answered {status}: {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after_s: Option<u64>) -> Tried {
        Tried::Answered {
            status,
            retry_after: retry_after_s.map(Duration::from_secs),
            said: String::new(),
        }
    }

    fn wait(tried: Tried, attempts: u32) -> u64 {
        match tried.verdict(attempts, 0.0) {
            Verdict::Again { after, .. } => after.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn any_2xx_is_taken_and_410_is_the_end() {
        for status in [200, 202, 204, 299] {
            assert_eq!(
                answered(status, None).verdict(99, 0.5),
                Verdict::Delivered { status }
            );
        }
        assert!(matches!(
            answered(410, None).verdict(1, 0.0),
            Verdict::Gone { .. }
        ));
    }

    #[test]
    fn everything_else_is_tried_again_by_the_schedule_and_then_given_up() {
        for status in [100, 199, 301, 302, 400, 401, 404, 422, 429, 500, 503] {
            assert_eq!(wait(answered(status, None), 1), 5, "{status}");
        }
        let waits: Vec<_> = (1..=9)
            .map(|attempts| wait(Tried::Failed("no".to_owned()), attempts))
            .collect();
        assert_eq!(
            waits,
            [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
        );
        assert_eq!(
            Tried::Failed("no".to_owned()).verdict(10, 0.0),
            Verdict::Dead {
                status: None,
                reason: "given up after 10 tries: no".to_owned()
            }
        );
    }

    #[test]
    fn an_endpoint_may_ask_for_more_time_but_not_for_ever() {
        assert_eq!(wait(answered(503, Some(60)), 1), 60);
        assert_eq!(wait(answered(429, Some(60)), 2), 300, "never sooner than planned");
        let capped = LONGEST.mul_f64(1.2).as_secs();
        assert!(wait(answered(503, Some(u64::MAX)), 1) <= capped);
    }

    #[test]
    fn chance_only_adds() {
        let Verdict::Again { after, .. } = answered(500, None).verdict(2, 1.0) else {
            panic!()
        };
        assert_eq!(after.as_secs(), 360);
    }
}
