//! Making the sums again from the facts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// One time that the sums were made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How it stands.
    pub state: State,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is at work, or its process ended.
    Running,
    /// The sums are those of the facts.
    Done {
        /// When it was.
        at: DateTime<Utc>,
        /// Facts it read.
        facts: i64,
        /// Orders they are about.
        orders: i64,
    },
    /// The sums are as they were.
    Failed {
        /// When it was.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
}
