//! Shows the steps of all orders as they happen, from when one begins to listen.
//!
//! What is heard is shown without a query. What may have passed unseen is read: the steps before one that was heard out
//! of turn, and, after a gap, all since shortly before it.

use std::collections::HashMap;
use std::mem;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::OrderId;
use event_bus::{Message, Signal, TapReceiver};
use futures::stream::{self, Stream};
use tracing::Span;

use super::watch_order::{Batch, passing, step_of};
use super::{App, AppError};
use crate::domain::order::Event;
use crate::store::orders::{self, Mark};

/// Steps read at once after a gap.
const PAGE: i64 = 500;
/// An event may be on its way for so long, and then not be the next of those heard: longer than the lease of a relay.
const ON_THE_WAY: TimeDelta = TimeDelta::seconds(30);

impl App {
    /// New steps of all orders, each once and those of an order in their order. An error is the last.
    pub fn watch_all(&self) -> impl Stream<Item = Batch> + Send + use<> {
        let feed = Feed {
            signals: self.steps.subscribe(),
            shown: Shown::since(self.clock.now(), REMEMBERED),
            missed: None,
            passing: Span::none(),
            app: self.clone(),
        };
        stream::unfold(Some(feed), Feed::turn)
    }
}

struct Feed {
    app: App,
    signals: TapReceiver,
    shown: Shown,
    /// What is still to be read after a gap.
    missed: Option<Mark>,
    /// Of the step that is being shown, in the trace of what made it.
    passing: Span,
}

impl Feed {
    async fn turn(feed: Option<Self>) -> Option<(Batch, Option<Self>)> {
        let mut feed = feed?;
        feed.passing = Span::none();
        let batch = feed.next().await.transpose()?;
        let next = batch.is_ok().then_some(feed);
        Some((batch, next))
    }

    /// The next steps; `None` once the process shuts down.
    async fn next(&mut self) -> Result<Option<Vec<(OrderId, Event)>>, AppError> {
        loop {
            if let Some(mark) = self.missed {
                let events = self.read(mark).await?;
                if !events.is_empty() {
                    return Ok(Some(events));
                }
                continue;
            }
            match self.signals.next().await {
                None => return Ok(None),
                Some(Signal::Gap) => self.missed = Some(Mark::before(self.shown.gap())),
                Some(Signal::Event(message)) => {
                    let events = self.heard(&message).await?;
                    if !events.is_empty() {
                        self.passing = passing(&message);
                        return Ok(Some(events));
                    }
                }
            }
        }
    }

    /// What is to be shown for an event; nothing for one that can't be read.
    async fn heard(&mut self, message: &Message) -> Result<Vec<(OrderId, Event)>, AppError> {
        match (message.subject.parse(), step_of(message)) {
            (Ok(order), Some(event)) => self.catch_up(order, event).await,
            _ => Ok(Vec::new()),
        }
    }

    /// A page of what may have passed unseen.
    async fn read(&mut self, mark: Mark) -> Result<Vec<(OrderId, Event)>, AppError> {
        let page = orders::steps_after(&self.app.requests, mark, PAGE).await?;
        let full = i64::try_from(page.len()).is_ok_and(|length| length == PAGE);
        self.missed = page
            .last()
            .filter(|_| full)
            .map(|(order, event)| Mark::of(*order, event));
        let mut events = Vec::new();
        for (order, event) in page {
            events.extend(self.catch_up(order, event).await?);
        }
        Ok(events)
    }

    /// A step heard twice is shown once; what was missed before it is read.
    async fn catch_up(&mut self, order: OrderId, event: Event) -> Result<Vec<(OrderId, Event)>, AppError> {
        let events = match self.shown.judge(order, &event) {
            Verdict::Old => return Ok(Vec::new()),
            Verdict::Next => vec![event],
            Verdict::After(shown) => {
                let (mut steps, _) = orders::history_after(&self.app.requests, order, shown).await?;
                if shown == 0 {
                    // Before one began to listen, or long ago.
                    steps.retain(|step| step.at >= self.shown.since || step.sequence >= event.sequence);
                }
                steps
            }
        };
        if let Some(last) = events.last() {
            self.shown.remember(order, last);
        }
        Ok(events.into_iter().map(|event| (order, event)).collect())
    }
}

/// Orders of which a feed remembers what it showed; beyond twice as many it forgets the idle ones.
const REMEMBERED: usize = 4096;

/// What has been shown, of the orders that moved lately.
struct Shown {
    /// Of an order that isn't known, no step since then was shown.
    since: DateTime<Utc>,
    /// The time of the newest step shown.
    newest: DateTime<Utc>,
    /// The last step shown of each order, and of those that have not moved since `turned`.
    recent: HashMap<OrderId, i64>,
    older: HashMap<OrderId, i64>,
    turned: DateTime<Utc>,
    capacity: usize,
}

/// What a step is to what has been shown.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Shown before.
    Old,
    /// To be shown next.
    Next,
    /// To be shown with those after this one, or after 0 if no step is known.
    After(i64),
}

impl Shown {
    fn since(now: DateTime<Utc>, capacity: usize) -> Self {
        Self {
            since: now,
            newest: now,
            turned: now,
            recent: HashMap::new(),
            older: HashMap::new(),
            capacity,
        }
    }

    /// The last step shown of an order.
    fn of(&self, order: OrderId) -> Option<i64> {
        self.recent
            .get(&order)
            .or_else(|| self.older.get(&order))
            .copied()
    }

    fn judge(&self, order: OrderId, event: &Event) -> Verdict {
        let last = self.of(order).unwrap_or(0);
        match event.sequence - last {
            ..=0 => Verdict::Old,
            1 => Verdict::Next,
            _ => Verdict::After(last),
        }
    }

    fn remember(&mut self, order: OrderId, last: &Event) {
        self.newest = self.newest.max(last.at);
        self.recent.insert(order, last.sequence);
        if self.recent.len() >= self.capacity {
            self.older = mem::take(&mut self.recent);
            // What has just been let go of was last shown before the older ones began.
            self.since = mem::replace(&mut self.turned, self.newest);
        }
    }

    /// The time since when steps may have passed unseen.
    fn gap(&self) -> DateTime<Utc> {
        (self.newest - ON_THE_WAY).max(self.since)
    }
}

#[cfg(test)]
mod tests {
    use contracts::order::{OrderStatus, OrderStep};

    use super::*;

    fn step(sequence: i64, seconds: i64) -> Event {
        Event {
            sequence,
            step: OrderStep::Created,
            status: OrderStatus::Pending,
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds),
        }
    }

    #[test]
    fn a_step_is_old_next_or_after_others() {
        let order = OrderId::generate();
        let mut shown = Shown::since(DateTime::UNIX_EPOCH, 10);
        assert_eq!(shown.judge(order, &step(1, 0)), Verdict::Next);
        assert_eq!(shown.judge(order, &step(3, 0)), Verdict::After(0));
        shown.remember(order, &step(3, 0));
        for sequence in 1..=3 {
            assert_eq!(shown.judge(order, &step(sequence, 0)), Verdict::Old);
        }
        assert_eq!(shown.judge(order, &step(4, 0)), Verdict::Next);
        assert_eq!(shown.judge(order, &step(6, 0)), Verdict::After(3));
    }

    #[test]
    fn what_is_forgotten_moves_the_beginning() {
        let mut shown = Shown::since(DateTime::UNIX_EPOCH, 2);
        let orders: Vec<_> = (0..5).map(|_| OrderId::generate()).collect();
        for (second, order) in (100..).zip(&orders[..4]) {
            shown.remember(*order, &step(1, second));
        }
        // The first two are gone: they were known from the beginning of time to second 101.
        assert_eq!(shown.of(orders[0]), None);
        assert_eq!(shown.of(orders[2]), Some(1));
        assert_eq!(shown.since, step(1, 101).at);
        assert_eq!(shown.gap(), shown.since, "not before the beginning");
        shown.remember(orders[4], &step(1, 900));
        assert_eq!(shown.gap(), step(1, 870).at);
    }
}
