//! A mail and what became of a try to send it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{MailId, OrderId, UserId};

use super::What;

/// A mail to be sent, or one that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id; the same at every try.
    pub id: MailId,
    /// Who gets it.
    pub user: UserId,
    /// The order it is about.
    pub order: OrderId,
    /// What it tells.
    pub what: What,
    /// Where it stands.
    pub state: MailState,
    /// Tries that it had.
    pub attempts: u32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// When it was sent or given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// To be sent, or to be tried again.
    Pending,
    /// The mail server has taken it.
    Sent,
    /// Given up; a person may try it again.
    Dead,
}

/// What became of a try, for the store to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The mail server has taken it.
    Sent,
    /// Again after a while.
    Again {
        /// How long.
        after: Duration,
        /// Why it failed.
        reason: String,
        /// Whether the try counts. Waiting for a server that is away does not.
        counts: bool,
    },
    /// Given up.
    Dead {
        /// Why.
        reason: String,
    },
}

/// How a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Whom we need is away: the mail server, or auth. Nothing is known of the mail.
    Away(String),
    /// This mail may go through later.
    Later(String),
    /// This mail will never go through.
    Never(String),
}

impl Failure {
    /// What to keep after try number `attempts`, this one included, of at most `tries`. `delay` tells how long to
    /// wait after so many failed tries.
    pub fn verdict(self, attempts: u32, tries: u32, delay: impl Fn(u32) -> Duration) -> Verdict {
        match self {
            Self::Away(reason) => Verdict::Again {
                after: delay(AWAY),
                reason,
                counts: false,
            },
            Self::Later(reason) if attempts < tries => Verdict::Again {
                after: delay(attempts.saturating_sub(1)),
                reason,
                counts: true,
            },
            Self::Later(reason) => Verdict::Dead {
                reason: format!("given up after {attempts} tries: {reason}"),
            },
            Self::Never(reason) => Verdict::Dead { reason },
        }
    }
}

/// Waiting for somebody who is away is like waiting after the second failure: often enough to notice their return, and
/// not so often that they drown in it.
const AWAY: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_failures() {
        let delay = |failed: u32| Duration::from_secs(u64::from(failed) + 10);
        let again = |after, counts| Verdict::Again {
            after: Duration::from_secs(after),
            reason: "why".to_owned(),
            counts,
        };
        let why = || "why".to_owned();
        let dead = |reason: &str| Verdict::Dead {
            reason: reason.to_owned(),
        };
        for (failure, attempts, verdict) in [
            (Failure::Later(why()), 1, again(10, true)),
            (Failure::Later(why()), 2, again(11, true)),
            (Failure::Later(why()), 3, dead("given up after 3 tries: why")),
            (Failure::Later(why()), 4, dead("given up after 4 tries: why")),
            (Failure::Never(why()), 1, dead("why")),
            (Failure::Away(why()), 1, again(12, false)),
            (Failure::Away(why()), 99, again(12, false)),
        ] {
            let shown = format!("{failure:?} at {attempts}");
            assert_eq!(failure.verdict(attempts, 3, delay), verdict, "{shown}");
        }
    }
}
