//! The events inventory publishes: `reservation.expired.v1` on `inventory.events`. It consumes none.

use contracts::event::EventContext;
use contracts::inventory::ReservationExpired;
use contracts::{Event, EventId};
use event_bus::OutboxRow;

/// A hold ended by itself.
pub(crate) fn expired(
    id: EventId,
    context: &EventContext,
    version: i64,
    fact: ReservationExpired,
) -> Result<OutboxRow, serde_json::Error> {
    OutboxRow::from_event(&Event::new(id, context, version, fact))
}
