//! Shows the steps of an order as they happen, whichever replica makes them.
//!
//! Listens first, reads the history then, so that no step falls between; a step that was heard out of turn makes
//! the history be read again, so that each is shown once and in order.

use contracts::OrderId;
use contracts::order::OrderStatusChanged;
use event_bus::{Message, Signal, TapReceiver};
use futures::stream::{self, Stream};
use service_kit::trace;
use tracing::Span;

use super::{App, AppError};
use crate::domain::order::Event;
use crate::store;

/// Steps to show, in order; a heard batch of them.
pub(super) type Batch = Result<Vec<(OrderId, Event)>, AppError>;

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
pub(super) fn passing(message: &Message) -> Span {
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

pub(super) fn step_of(message: &Message) -> Option<Event> {
    let data = message.event::<OrderStatusChanged>().ok()?.data;
    Some(Event {
        sequence: data.sequence,
        step: data.step,
        status: data.status,
        at: data.at,
    })
}
