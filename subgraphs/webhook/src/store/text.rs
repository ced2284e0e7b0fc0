//! Enums as the database spells them.

use super::unreadable;
use crate::domain::{DeliveryState, EventType};

impl DeliveryState {
    /// The text of a state.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Dead => "DEAD",
        }
    }

    /// The state of a text.
    pub(super) fn read(text: &str) -> Result<Self, sqlx::Error> {
        [Self::Pending, Self::Delivered, Self::Dead]
            .into_iter()
            .find(|state| state.text() == text)
            .ok_or_else(|| unreadable(format!("{text} is no state known here")))
    }
}

/// Event types as a column has them: as they stand in bodies.
pub(super) fn kinds(types: &[EventType]) -> Vec<String> {
    types.iter().map(|kind| kind.kind().to_owned()).collect()
}

/// Event types of a column. One that a newer version added is left out.
pub(super) fn event_types(kinds: &[String]) -> Vec<EventType> {
    kinds.iter().filter_map(|kind| EventType::of(kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_back() {
        for state in [
            DeliveryState::Pending,
            DeliveryState::Delivered,
            DeliveryState::Dead,
        ] {
            assert_eq!(DeliveryState::read(state.text()).unwrap(), state);
        }
        assert!(DeliveryState::read("LOST").is_err());
        assert_eq!(event_types(&kinds(&EventType::ALL)), EventType::ALL);
    }
}
