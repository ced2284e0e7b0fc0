//! One order among models of the services it calls: inventory and payment keep their contracts, everything between
//! them may fail. Calls time out, arrive late, twice or never; answers get lost; processes die between saving and
//! calling, or between calling and saving; events are delayed, reordered and repeated; holds expire, units are sold
//! elsewhere, the buyer cancels, money comes after the void.
//!
//! One model, two drivers: `schedules` draws long random runs, `exhaustive` visits every state that can be reached.

mod bag;
mod defect;
mod exhaustive;
mod explorer;
mod invariant;
mod inventory;
mod moves;
mod payment;
mod row;
mod schedules;
mod world;

use super::*;
use defect::Defect;
use invariant::Invariant;
use moves::Move;
use world::World;

/// What a run of the model allows.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// How many faults of calls and processes; none for any number.
    faults: Option<u8>,
    /// Tries of a call are told apart up to this many: the saga asks for "the only one" and, for operators, "many".
    attempts: u32,
    /// Whether calls that their service would only answer as before are forgotten at once. What they could change is
    /// past for good, so nothing is lost, and the states become ten times fewer.
    brief: bool,
    /// What is broken on purpose.
    defect: Option<Defect>,
}

impl Rules {
    fn broken(self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
