//! What a row of the matrix is: where which process dies, and who is shopping meanwhile.

use super::load::Buyer;

/// What is done to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing: what must hold under faults must hold without.
    Nothing,
    /// The victim kills itself at the point, and is started again.
    Crash,
    /// The same, and the provider tells nothing by itself until the refund under way has ended.
    WebhooksHeld,
    /// The victim kills itself, but it is started again only after the reservations have expired.
    StayDown,
    /// Order is killed, and inventory kills itself while it ends the holds that order left.
    Expiry,
    /// The victim freezes at the point, the broker is killed and started again, the victim goes on.
    BrokerDies,
    /// Order freezes at the point, a replica takes over, inventory is killed, order goes on.
    Paused,
    /// Order freezes at the point, the buyer cancels at a replica, order goes on with its late call.
    PausedAndCancelled,
    /// The victim's connections are cut while they wait for the answer to COMMIT, which is carried out.
    CommitCut,
    /// PostgreSQL is killed and started again.
    PostgresDies,
    /// Order is down and its queue does not exist when payment publishes.
    QueueGone,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its number in the design, with a letter where there are several.
    pub(crate) id: &'static str,
    /// Who dies.
    pub(crate) victim: &'static str,
    /// Where, as the victim calls it; empty if from outside.
    pub(crate) point: &'static str,
    /// At the how many-th visit.
    pub(crate) nth: u32,
    /// The same in words.
    pub(crate) what: &'static str,
    pub(crate) act: Act,
    pub(crate) buyers: &'static [Buyer],
    /// Units on the shelf; fewer than the buyers want where that is the point.
    pub(crate) units: i64,
    /// Order's own deadline in this row, in seconds, where it is another.
    pub(crate) deadline_s: Option<u32>,
    /// What must be true of the stock of the order that was at the point, at the instant of the crash.
    pub(crate) stock_at_crash: Option<&'static str>,
}
