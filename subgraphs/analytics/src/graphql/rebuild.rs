//! Making the sums again, as staff see it.

use async_graphql::{Enum, ID, Object};
use chrono::{DateTime, Utc};

use super::types::count;
use crate::domain::rebuild::{Rebuild, State};

/// How a rebuild stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(tag = "internal")]
pub(crate) enum SalesRebuildState {
    /// At work. If it stays so, its process has ended: begin another.
    Running,
    /// The sums are those of the facts.
    Done,
    /// The sums are as they were.
    Failed,
}

/// One time that the sums were made again from what was heard.
pub(crate) struct SalesRebuild(pub(super) Rebuild);

/// One time that the sums were made again from what was heard.
#[Object(tag = "internal")]
impl SalesRebuild {
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// How it stands.
    async fn state(&self) -> SalesRebuildState {
        match self.0.state {
            State::Running => SalesRebuildState::Running,
            State::Done { .. } => SalesRebuildState::Done,
            State::Failed { .. } => SalesRebuildState::Failed,
        }
    }

    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// When it ended; null while it is at work.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        match self.0.state {
            State::Running => None,
            State::Done { at, .. } | State::Failed { at, .. } => Some(at),
        }
    }

    /// Events it read; null unless it is done.
    async fn facts(&self) -> Option<i32> {
        match self.0.state {
            State::Done { facts, .. } => Some(count(facts)),
            _ => None,
        }
    }

    /// Orders they are about; null unless it is done.
    async fn orders(&self) -> Option<i32> {
        match self.0.state {
            State::Done { orders, .. } => Some(count(orders)),
            _ => None,
        }
    }

    /// Why it came to nothing.
    async fn failure(&self) -> Option<&str> {
        match &self.0.state {
            State::Failed { why, .. } => Some(why),
            _ => None,
        }
    }
}
