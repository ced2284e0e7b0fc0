//! The events of a plan.

use contracts::event::EventContext;
use contracts::order::OrderStatusChanged;
use contracts::{Event, EventId};
use event_bus::OutboxRow;

use super::steer::Plan;
use crate::saga::Effect;

/// One `order.status_changed` for each step.
pub(super) fn status_changes(plan: &Plan, context: &EventContext) -> Result<Vec<OutboxRow>, sqlx::Error> {
    let mut rows = Vec::new();
    for effect in &plan.effects {
        if let Effect::Record(transition) = effect {
            let data = OrderStatusChanged {
                order_id: plan.job.saga.order_id,
                user_id: plan.job.order.user_id,
                sequence: transition.sequence,
                step: transition.step,
                status: transition.status,
                cancel_reason: transition.cancel_reason,
                at: transition.at,
            };
            let event = Event::new(EventId::generate(), context, transition.sequence, data);
            rows.push(OutboxRow::from_event(&event).map_err(|error| sqlx::Error::Encode(error.into()))?);
        }
    }
    Ok(rows)
}
