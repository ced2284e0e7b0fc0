//! Visits every state that can be reached, breadth first, so that what it finds is found by a shortest way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use super::{Invariant, Move, Rules, State, World};

/// What a complete search saw.
#[derive(Debug)]
pub(super) struct Explored {
    /// Different states.
    pub(super) states: usize,
    /// Moves tried, each leading to a state.
    pub(super) moves: usize,
    /// Moves from the beginning to the farthest state, by the shortest way.
    pub(super) depth: u32,
    /// Moves from the worst state to rest, once nothing fails any more.
    pub(super) healing: u32,
    /// States at rest.
    pub(super) resting: usize,
    /// States in which the order is in this state.
    pub(super) by_state: HashMap<State, usize>,
}

/// A broken promise, and the shortest way to it.
pub(super) struct Found {
    pub(super) invariant: Invariant,
    pub(super) way: Vec<(Move, World)>,
    pub(super) states: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken after {} states: {}", self.states, self.invariant)?;
        for (step, (next, world)) in self.way.iter().enumerate() {
            write!(f, "\n{:>3} {next:?}\n      {world:?}", step + 1)?;
        }
        Ok(())
    }
}

/// How a state was first reached.
#[derive(Clone, Copy)]
struct Origin {
    from: u32,
    by: Move,
    depth: u32,
}

/// No state: the first has no origin, a state at rest no next.
const NONE: u32 = u32::MAX;

struct Explorer {
    rules: Rules,
    worlds: Vec<World>,
    known: HashMap<World, u32, BuildHasherDefault<Mix>>,
    origins: Vec<Origin>,
    /// Where each state heals to.
    heals: Vec<u32>,
    moves: usize,
}

/// Explores all of it, or as far as the first broken promise.
pub(super) fn explore(rules: Rules) -> Result<Explored, Found> {
    let first = World::new(rules);
    let mut explorer = Explorer {
        rules,
        worlds: vec![first],
        known: HashMap::from_iter([(first, 0)]),
        origins: vec![Origin {
            from: NONE,
            by: Move::Claim,
            depth: 0,
        }],
        heals: Vec::new(),
        moves: 0,
    };
    let mut offered = Vec::new();
    while explorer.heals.len() < explorer.worlds.len() {
        explorer.visit(&mut offered)?;
    }
    let healing = explorer.healing()?;
    Ok(explorer.summary(healing))
}

impl Explorer {
    /// Plays every move of the next state not visited.
    fn visit(&mut self, offered: &mut Vec<Move>) -> Result<(), Found> {
        let here = self.heals.len();
        let world = self.worlds[here];
        let healing = world.heal(self.rules);
        let mut heals_to = NONE;
        if healing.is_none() {
            world
                .check_at_rest()
                .map_err(|invariant| self.found(invariant, here, None))?;
        }
        world.moves(self.rules, offered);
        for &by in &*offered {
            let mut next = world;
            next.play(by, self.rules)
                .map_err(|invariant| self.found(invariant, here, Some((by, next))))?;
            let index = self.index(next, by, here);
            if Some(by) == healing {
                heals_to = index;
            }
        }
        self.moves += offered.len();
        self.heals.push(heals_to);
        Ok(())
    }

    fn index(&mut self, world: World, by: Move, from: usize) -> u32 {
        let fresh = u32::try_from(self.worlds.len()).unwrap();
        match self.known.entry(world) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(entry) => {
                entry.insert(fresh);
                self.worlds.push(world);
                let depth = self.origins[from].depth + 1;
                self.origins.push(Origin {
                    from: u32::try_from(from).unwrap(),
                    by,
                    depth,
                });
                fresh
            }
        }
    }

    /// From every state the healed system comes to rest, where [`World::check_at_rest`] has looked: the healing moves
    /// form no circle. Answers how many it takes at most.
    fn healing(&self) -> Result<u32, Found> {
        const UNKNOWN: u32 = u32::MAX;
        let mut left = vec![UNKNOWN; self.heals.len()];
        let mut way = Vec::new();
        for start in 0..self.heals.len() {
            let mut here = start;
            while left[here] == UNKNOWN && self.heals[here] != NONE {
                if way.len() > self.heals.len() {
                    return Err(self.found(Invariant::HealedEnds, start, None));
                }
                way.push(here);
                here = self.heals[here] as usize;
            }
            let mut length = if left[here] == UNKNOWN { 0 } else { left[here] };
            left[here] = length;
            while let Some(here) = way.pop() {
                length += 1;
                left[here] = length;
            }
        }
        Ok(left.into_iter().max().unwrap_or_default())
    }

    fn found(&self, invariant: Invariant, at: usize, last: Option<(Move, World)>) -> Found {
        let mut way = Vec::from_iter(last);
        let mut here = at;
        while self.origins[here].from != NONE {
            way.push((self.origins[here].by, self.worlds[here]));
            here = self.origins[here].from as usize;
        }
        way.reverse();
        Found {
            invariant,
            way,
            states: self.worlds.len(),
        }
    }

    fn summary(&self, healing: u32) -> Explored {
        let mut by_state = HashMap::new();
        for world in &self.worlds {
            *by_state.entry(world.row.state).or_default() += 1;
        }
        Explored {
            states: self.worlds.len(),
            moves: self.moves,
            depth: self
                .origins
                .iter()
                .map(|origin| origin.depth)
                .max()
                .unwrap_or_default(),
            healing,
            resting: self.heals.iter().filter(|next| **next == NONE).count(),
            by_state,
        }
    }
}

/// A quick hash: the library's own costs more than the rest of a visit in a debug build. States are compared whole,
/// so that a bad hash costs time and hides nothing.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
