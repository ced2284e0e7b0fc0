//! What may happen to an order's reservation: a total table of state and command. Pure.

use contracts::inventory::ReservationState;

use super::Refusal;
use super::stock::{MovementKind, Units};

/// Where a reservation stands, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Held,
    Confirmed,
    Released,
    Expired,
    Restocked,
    /// Released before it was ever made.
    Tombstone,
}

impl State {
    /// Every state.
    pub(crate) const ALL: [Self; 6] = [
        Self::Held,
        Self::Confirmed,
        Self::Released,
        Self::Expired,
        Self::Restocked,
        Self::Tombstone,
    ];

    /// The name the store keeps.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Confirmed => "CONFIRMED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
            Self::Restocked => "RESTOCKED",
            Self::Tombstone => "TOMBSTONE",
        }
    }

    /// The state the store names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What callers see: a tombstone is a released reservation.
    pub(crate) const fn public(self) -> ReservationState {
        match self {
            Self::Held => ReservationState::Held,
            Self::Confirmed => ReservationState::Confirmed,
            Self::Released | Self::Tombstone => ReservationState::Released,
            Self::Expired => ReservationState::Expired,
            Self::Restocked => ReservationState::Restocked,
        }
    }
}

/// What is asked of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    /// Hold units; whether the lines are those of the first time.
    Reserve { same_lines: bool },
    /// Sell the held units.
    Confirm,
    /// Give them back.
    Release,
    /// Take sold units back after a refund.
    Restock,
    /// The hold's time is over.
    Expire,
}

/// A change of state with the movements it makes of every line's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) to: State,
    pub(crate) kinds: &'static [MovementKind],
    /// Whether the units are held anew, which may fail and counts as another attempt.
    pub(crate) holds_again: bool,
}

impl Move {
    /// The net shift of one unit.
    pub(crate) fn units(&self) -> Units {
        Units::of(self.kinds)
    }
}

/// What to do about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is so already: answer as before.
    Repeat,
    /// Change it.
    Move(Move),
}

/// The table. `None` is an order that never asked.
pub(crate) fn decide(state: Option<State>, command: Command) -> Result<Decision, Refusal> {
    use Decision::Repeat;
    Ok(match (state, command) {
        (None, Command::Reserve { .. }) => to(State::Held, &[MovementKind::Hold]),
        (Some(State::Released | State::Restocked | State::Tombstone), Command::Reserve { .. }) => {
            return Err(Refusal::Released);
        }
        (Some(_), Command::Reserve { same_lines: false }) => return Err(Refusal::BodyMismatch),
        (Some(State::Expired), Command::Reserve { .. }) => again(State::Held, &[MovementKind::Hold]),

        (Some(State::Held), Command::Confirm) => to(State::Confirmed, &[MovementKind::Confirm]),
        (Some(State::Expired), Command::Confirm) => {
            again(State::Confirmed, &[MovementKind::Hold, MovementKind::Confirm])
        }
        (Some(State::Released | State::Restocked | State::Tombstone), Command::Confirm) => {
            return Err(Refusal::Gone);
        }

        (None, Command::Release) => to(State::Tombstone, &[]),
        (Some(State::Held), Command::Release) => to(State::Released, &[MovementKind::Release]),
        (Some(State::Expired), Command::Release) => to(State::Released, &[]),
        (Some(State::Confirmed), Command::Release) => return Err(Refusal::AlreadyConfirmed),

        (Some(State::Confirmed), Command::Restock) => to(State::Restocked, &[MovementKind::Restock]),
        (Some(State::Held), Command::Expire) => to(State::Expired, &[MovementKind::Expire]),

        // It is so already.
        (Some(State::Held | State::Confirmed), Command::Reserve { .. })
        | (Some(State::Confirmed), Command::Confirm)
        | (Some(State::Released | State::Restocked | State::Tombstone), Command::Release)
        | (Some(State::Restocked), Command::Restock)
        | (Some(_), Command::Expire) => Repeat,

        (Some(_), Command::Restock) => return Err(Refusal::NotSold),
        (None, Command::Confirm | Command::Restock | Command::Expire) => return Err(Refusal::Unknown),
    })
}

fn to(state: State, kinds: &'static [MovementKind]) -> Decision {
    Decision::Move(Move {
        to: state,
        kinds,
        holds_again: false,
    })
}

fn again(state: State, kinds: &'static [MovementKind]) -> Decision {
    Decision::Move(Move {
        to: state,
        kinds,
        holds_again: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Refusal::{AlreadyConfirmed, BodyMismatch, Gone, NotSold, Released, Unknown};

    const RESERVE: Command = Command::Reserve { same_lines: true };
    const RESERVE_OTHER: Command = Command::Reserve { same_lines: false };

    fn outcome(state: Option<State>, command: Command) -> Result<Option<State>, Refusal> {
        decide(state, command).map(|decision| match decision {
            Decision::Repeat => None,
            Decision::Move(change) => Some(change.to),
        })
    }

    type Row = (Option<State>, [Result<Option<State>, Refusal>; 6]);

    #[test]
    fn every_cell_of_the_table() {
        use State::{Confirmed, Expired, Held, Restocked, Tombstone};
        let repeat = || Ok(None);
        let goes = |state| Ok(Some(state));
        let commands = [
            RESERVE,
            RESERVE_OTHER,
            Command::Confirm,
            Command::Release,
            Command::Restock,
            Command::Expire,
        ];
        #[rustfmt::skip]
        let table: [Row; 7] = [
            (None,                  [goes(Held),    goes(Held),        Err(Unknown),    goes(Tombstone),       Err(Unknown),    Err(Unknown)]),
            (Some(Held),            [repeat(),      Err(BodyMismatch), goes(Confirmed), goes(State::Released), Err(NotSold),    goes(Expired)]),
            (Some(Confirmed),       [repeat(),      Err(BodyMismatch), repeat(),        Err(AlreadyConfirmed), goes(Restocked), repeat()]),
            (Some(State::Released), [Err(Released), Err(Released),     Err(Gone),       repeat(),              Err(NotSold),    repeat()]),
            (Some(Expired),         [goes(Held),    Err(BodyMismatch), goes(Confirmed), goes(State::Released), Err(NotSold),    repeat()]),
            (Some(Restocked),       [Err(Released), Err(Released),     Err(Gone),       repeat(),              repeat(),        repeat()]),
            (Some(Tombstone),       [Err(Released), Err(Released),     Err(Gone),       repeat(),              Err(NotSold),    repeat()]),
        ];
        for (state, row) in table {
            for (command, expected) in commands.into_iter().zip(row) {
                assert_eq!(outcome(state, command), expected, "{state:?} {command:?}");
            }
        }
    }

    /// Where a state keeps the units of its lines: (held, sold).
    fn keeps(state: Option<State>) -> (i32, i32) {
        match state {
            Some(State::Held) => (1, 0),
            Some(State::Confirmed) => (0, 1),
            _ => (0, 0),
        }
    }

    #[test]
    fn units_move_exactly_as_the_states_say() {
        let states = State::ALL.map(Some).into_iter().chain([None]);
        for state in states {
            for command in [
                RESERVE,
                Command::Confirm,
                Command::Release,
                Command::Restock,
                Command::Expire,
            ] {
                let Ok(Decision::Move(change)) = decide(state, command) else {
                    continue;
                };
                let ((held, sold), (held_then, sold_then)) = (keeps(state), keeps(Some(change.to)));
                let (reserved, sold) = (held_then - held, sold_then - sold);
                assert_eq!(
                    change.units(),
                    Units(-reserved - sold, reserved, sold),
                    "{state:?} {command:?}"
                );
            }
        }
    }

    #[test]
    fn repeating_a_command_changes_nothing_more() {
        for state in State::ALL.map(Some).into_iter().chain([None]) {
            for command in [
                RESERVE,
                Command::Confirm,
                Command::Release,
                Command::Restock,
                Command::Expire,
            ] {
                if let Ok(Decision::Move(change)) = decide(state, command) {
                    assert_eq!(
                        decide(Some(change.to), command),
                        Ok(Decision::Repeat),
                        "{state:?} {command:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn states_keep_their_names() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("LOST"), None);
    }
}
