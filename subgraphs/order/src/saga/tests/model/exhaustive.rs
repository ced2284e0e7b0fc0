//! Every state that one order can come to, under any number of faults.

use std::collections::HashMap;

use super::explorer::{Explored, explore};
use super::*;

const RULES: Rules = Rules {
    faults: None,
    attempts: 2,
    brief: true,
    defect: None,
};

/// Fewer would say that the model has lost something. It may grow.
const STATES: usize = 60_000;
const MOVES: usize = 600_000;
const DEPTH: u32 = 20;

#[test]
fn every_state_keeps_the_promises_and_heals() {
    let explored = search(RULES);
    assert!(explored.states >= STATES, "{}", explored.states);
    assert!(explored.moves >= MOVES, "{}", explored.moves);
    assert!(explored.depth >= DEPTH, "{}", explored.depth);
    assert!(explored.healing <= 20, "healing takes {}", explored.healing);
    assert!(explored.resting > 0, "nothing comes to rest");
    let seen = |state: &State| explored.by_state.get(state).copied().unwrap_or_default();
    for state in State::ALL {
        let passing = matches!(state, State::Created | State::Reserved);
        assert_eq!(
            seen(&state) == 0,
            passing,
            "{state} was visited {} times",
            seen(&state)
        );
    }
}

/// The same without forgetting anything.
#[test]
#[ignore = "20 s of one core; run it when the model or the saga changes"]
fn every_state_with_nothing_forgotten() {
    let explored = search(Rules {
        brief: false,
        ..RULES
    });
    assert!(explored.states >= 600_000, "{}", explored.states);
}

fn search(rules: Rules) -> Explored {
    let explored = explore(rules).unwrap_or_else(|found| panic!("{found}"));
    println!("{explored:#?}\nwhat held:");
    for invariant in Invariant::ALL {
        println!("  {invariant}");
    }
    explored
}

/// The search can fail: each mistake is found, and as what it is.
#[test]
fn every_defect_is_found() {
    let mut found = HashMap::new();
    for defect in Defect::ALL {
        let rules = Rules {
            defect: Some(defect),
            ..RULES
        };
        let Err(broken) = explore(rules) else {
            panic!("{defect:?} was not found");
        };
        let (breaks, length) = (defect.breaks(), broken.way.len());
        println!(
            "{defect:?}: after {} states, in {length} moves: {}",
            broken.states, broken.invariant
        );
        assert!(breaks.contains(&broken.invariant), "{defect:?}: {broken}");
        *found.entry(broken.invariant).or_insert(0) += 1;
    }
    assert!(found.len() >= 6, "the mistakes are of too few kinds: {found:?}");
}

/// The search keeps all worlds in memory.
#[test]
fn a_world_is_small() {
    assert!(size_of::<World>() <= 64, "{}", size_of::<World>());
}
