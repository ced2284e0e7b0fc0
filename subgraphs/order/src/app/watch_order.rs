//! Shows the steps of orders as they happen, whichever replica makes them.
//!
//! Listens first, reads the history then, so that no step falls between; a step that was heard out of turn makes
//! the history be read again, so that each is shown once and in order.

use std::collections::HashMap;

use contracts::order::OrderStatusChanged;
use contracts::{OrderId, UserId};
use event_bus::{Message, Signal, TapReceiver};
use futures::stream::{self, Stream};
use service_kit::trace;
use tracing::Span;

use super::{App, AppError};
use crate::domain::order::Event;
use crate::store;

/// Steps to show, in order; a heard batch of them.
type Batch = Result<Vec<(OrderId, Event)>, AppError>;

impl App {
    /// The steps of an order after `sequence`, old and new, until it is final.
    pub fn watch_order(&self, order: OrderId, sequence: i64) -> impl Stream<Item = Batch> + Send + use<> {
        let watch = Watch {
            app: self.clone(),
            signals: self.steps.subscribe_to(&order.to_string()),
            order,
            shown: sequence,
            stage: Stage::Read,
            passing: Span::none(),
        };
        stream::unfold(watch, Watch::next)
    }

    /// New steps of all orders; `None` for an event that can't be read.
    pub fn watch_all(&self) -> impl Stream<Item = Batch> + Send + use<> {
        let feed = Feed {
            app: self.clone(),
            signals: self.steps.subscribe(),
            shown: HashMap::new(),
            passing: Span::none(),
        };
        stream::unfold(feed, Feed::next)
    }

    /// Who bought an order.
    pub async fn buyer(&self, order: OrderId) -> Result<Option<UserId>, AppError> {
        Ok(self.order(order).await?.map(|order| order.user_id))
    }
}

enum Stage {
    /// The history has to be read.
    Read,
    /// All that is known was shown.
    Listen,
    /// The order is final.
    Done,
}

struct Watch {
    app: App,
    signals: TapReceiver,
    order: OrderId,
    shown: i64,
    stage: Stage,
    /// Of the step that is being shown, in the trace of what made it. Over when the next is asked for.
    passing: Span,
}

/// The span in which a step that was heard is shown.
fn passing(message: &Message) -> Span {
    let span = tracing::info_span!(
        "deliver",
        otel.kind = "consumer",
        otel.name = format!("deliver {}", message.kind),
        order = message.subject,
        version = message.aggregate_version,
    );
    trace::with_parent(&span, message.traceparent.as_deref());
    trace::link(&span, &Span::current());
    span
}

impl Watch {
    async fn next(mut self) -> Option<(Batch, Self)> {
        self.passing = Span::none();
        loop {
            match self.stage {
                Stage::Done => return None,
                Stage::Read => match self.read().await {
                    Ok(events) if events.is_empty() => {}
                    Ok(events) => return Some((Ok(events), self)),
                    Err(error) => {
                        self.stage = Stage::Done;
                        return Some((Err(error), self));
                    }
                },
                Stage::Listen => match self.signals.next().await? {
                    Signal::Gap => self.stage = Stage::Read,
                    Signal::Event(message) => {
                        if let Some(event) = self.heard(&message) {
                            self.passing = passing(&message);
                            return Some((Ok(vec![event]), self));
                        }
                    }
                },
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<(OrderId, Event)>, AppError> {
        let (events, is_final) =
            store::orders::history_after(&self.app.requests, self.order, self.shown).await?;
        if let Some(last) = events.last() {
            self.shown = last.sequence;
        }
        self.stage = if is_final { Stage::Done } else { Stage::Listen };
        Ok(events.into_iter().map(|event| (self.order, event)).collect())
    }

    /// The step that comes next, without a query; anything newer asks for the history.
    fn heard(&mut self, message: &Message) -> Option<(OrderId, Event)> {
        let event = step_of(message)?;
        if event.sequence <= self.shown {
            return None;
        }
        if event.sequence > self.shown + 1 {
            self.stage = Stage::Read;
            return None;
        }
        self.shown = event.sequence;
        if is_last(&event) {
            self.stage = Stage::Done;
        }
        Some((self.order, event))
    }
}

/// Whether an order rests after this step.
const fn is_last(event: &Event) -> bool {
    use contracts::order::OrderStep as Step;
    matches!(
        event.step,
        Step::Paid | Step::Cancelled | Step::Refunded | Step::Shipped | Step::Delivered
    )
}

fn step_of(message: &Message) -> Option<Event> {
    let data = message.event::<OrderStatusChanged>().ok()?.data;
    Some(Event {
        sequence: data.sequence,
        step: data.step,
        status: data.status,
        at: data.at,
    })
}

/// Orders of which a feed remembers what it showed; beyond that it forgets the idle ones.
const REMEMBERED: usize = 4096;

struct Feed {
    app: App,
    signals: TapReceiver,
    shown: HashMap<OrderId, i64>,
    passing: Span,
}

impl Feed {
    async fn next(mut self) -> Option<(Batch, Self)> {
        self.passing = Span::none();
        loop {
            let Signal::Event(message) = self.signals.next().await? else {
                continue;
            };
            let Some(event) = step_of(&message) else { continue };
            let Ok(order) = message.subject.parse() else {
                continue;
            };
            match self.catch_up(order, event).await {
                Ok(events) if events.is_empty() => {}
                batch => {
                    self.passing = passing(&message);
                    return Some((batch, self));
                }
            }
        }
    }

    /// A step heard twice is shown once; what was missed before it is read.
    async fn catch_up(&mut self, order: OrderId, event: Event) -> Batch {
        if self.shown.len() > REMEMBERED {
            self.shown.clear();
        }
        let shown = self.shown.get(&order).copied().unwrap_or(event.sequence - 1);
        if event.sequence <= shown {
            return Ok(Vec::new());
        }
        let events = if event.sequence == shown + 1 {
            vec![event]
        } else {
            store::orders::history_after(&self.app.requests, order, shown)
                .await?
                .0
        };
        if let Some(last) = events.last() {
            self.shown.insert(order, last.sequence);
        }
        Ok(events.into_iter().map(|event| (order, event)).collect())
    }
}
