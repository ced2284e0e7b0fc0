//! Random schedules, longer than what can be visited whole. Each has a seed of its own, which a failure tells and
//! which `MERCATO_SAGA_SEED` plays again.

use std::collections::{HashMap, HashSet};
use std::mem::{Discriminant, discriminant};

use super::bag::{Call, News};
use super::world::Phase;
use super::*;

const SCHEDULES: u64 = 100_000;
const LENGTH: u64 = 40;
/// Far more than any healing takes.
const HEALING: usize = 200;
const SEED: &str = "MERCATO_SAGA_SEED";

const RULES: Rules = Rules {
    faults: None,
    attempts: ATTENTION_AFTER + 1,
    brief: false,
    defect: None,
};

/// `SplitMix64`: the same numbers for the same seed, for ever.
struct Random(u64);

impl Random {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn choose(&mut self, offered: &[Move]) -> Option<Move> {
        let total = offered.iter().map(|next| next.weight()).sum::<u64>().max(1);
        let mut left = self.below(total);
        offered.iter().copied().find(|next| {
            let here = left < next.weight();
            left = left.saturating_sub(next.weight());
            here
        })
    }
}

/// What the schedules were seen to do: proof that the faults happened.
#[derive(Default)]
struct Proof {
    moves: HashMap<Discriminant<Move>, (Move, u64)>,
    /// Where the runner died, and whether its call had been carried out.
    crashes: HashSet<(State, bool)>,
    ends: HashMap<State, u64>,
    attention: bool,
}

impl Proof {
    fn note(&mut self, world: &World, next: Move) {
        self.moves.entry(discriminant(&next)).or_insert((next, 0)).1 += 1;
        if let (Move::Crash, Some(worker)) = (next, world.worker) {
            self.crashes
                .insert((world.row.state, worker.phase != Phase::Unsent));
        }
        self.attention |= world.row.attention == Some(Attention::Retries);
    }

    fn count(&self, kind: Move) -> u64 {
        self.moves
            .get(&discriminant(&kind))
            .map_or(0, |(_, count)| *count)
    }
}

struct Broken {
    invariant: Invariant,
    moves: Vec<Move>,
}

/// Up to 40 moves at random, then as many as it takes to come to rest.
fn play(seed: u64, rules: Rules, proof: &mut Proof) -> Result<(), Broken> {
    let mut random = Random(seed);
    let mut moves = Vec::new();
    let mut offered = Vec::new();
    let mut world = World::new(rules);
    for _ in 0..random.below(LENGTH + 1) {
        world.moves(rules, &mut offered);
        let Some(next) = random.choose(&offered) else {
            break;
        };
        proof.note(&world, next);
        moves.push(next);
        if let Err(invariant) = world.play(next, rules) {
            return Err(Broken { invariant, moves });
        }
    }
    match heal(&mut world, rules) {
        Ok(()) => *proof.ends.entry(world.row.state).or_default() += 1,
        Err(invariant) => return Err(Broken { invariant, moves }),
    }
    Ok(())
}

fn heal(world: &mut World, rules: Rules) -> Result<(), Invariant> {
    for _ in 0..HEALING {
        match world.heal(rules) {
            Some(next) => world.play(next, rules)?,
            None => return world.check_at_rest(),
        }
    }
    Err(Invariant::HealedEnds)
}

/// Whether these moves, less those that are not on offer, end badly.
fn replay(moves: &[Move], rules: Rules) -> Option<Invariant> {
    let mut world = World::new(rules);
    let mut offered = Vec::new();
    for &next in moves {
        world.moves(rules, &mut offered);
        if offered.contains(&next)
            && let Err(invariant) = world.play(next, rules)
        {
            return Some(invariant);
        }
    }
    heal(&mut world, rules).err()
}

/// Leaves out whatever the failure does not need.
fn shorten(broken: Broken, rules: Rules) -> Broken {
    let Broken { invariant, mut moves } = broken;
    let mut at = 0;
    while at < moves.len() {
        let mut fewer = moves.clone();
        fewer.remove(at);
        if replay(&fewer, rules) == Some(invariant) {
            moves = fewer;
            at = 0;
        } else {
            at += 1;
        }
    }
    Broken { invariant, moves }
}

fn fail(seed: u64, broken: Broken) -> ! {
    let length = broken.moves.len();
    let Broken { invariant, moves } = shorten(broken, RULES);
    panic!("{invariant}\nagain with {SEED}={seed}: {length} moves, of which these suffice: {moves:#?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no Config; the variable only plays a failure again"
)]
fn asked_seed() -> Option<u64> {
    std::env::var(SEED).ok()?.parse().ok()
}

#[test]
fn every_schedule_ends_with_the_books_in_balance() {
    let mut proof = Proof::default();
    if let Some(seed) = asked_seed() {
        play(seed, RULES, &mut proof).unwrap_or_else(|broken| fail(seed, broken));
        return;
    }
    let base = rand::random::<u64>();
    for schedule in 0..SCHEDULES {
        let seed = base.wrapping_add(schedule.wrapping_mul(Random::STEP));
        play(seed, RULES, &mut proof).unwrap_or_else(|broken| fail(seed, broken));
    }
    report(&proof);
    println!("{SCHEDULES} schedules from seed {base}");
    prove(&proof);
}

fn report(proof: &Proof) {
    let mut counts: Vec<_> = proof
        .moves
        .values()
        .map(|(next, count)| (*count, next.kind()))
        .collect();
    counts.sort();
    println!("{counts:?}\ndied at {:?}\nended {:?}", proof.crashes, proof.ends);
}

/// A run without the faults it is meant to survive proves nothing.
fn prove(proof: &Proof) {
    let faults = [
        Move::TimeOut,
        Move::Crash,
        Move::Claim,
        Move::Retry,
        Move::Arrive(Call::Pay),
        Move::ArriveTwice(Call::Pay),
        Move::Lose(Call::Pay),
        Move::HearTwice(News::Captured),
        Move::Capture,
        Move::Decline,
        Move::CancelCharge,
        Move::Expire,
        Move::SellElsewhere,
        Move::FireTimer,
        Move::Cancel,
        Move::AskRefund { restock: true },
    ];
    for kind in faults {
        let count = proof.count(kind);
        assert!(count >= 100, "{kind:?} happened {count} times");
    }
    for state in [
        State::Reserving,
        State::Paying,
        State::Confirming,
        State::Cancelling,
        State::Refunding,
    ] {
        for carried_out in [false, true] {
            let died = proof.crashes.contains(&(state, carried_out));
            assert!(died, "no runner died at {state}, call carried out: {carried_out}");
        }
    }
    for state in State::ALL.into_iter().filter(|state| state.is_final()) {
        assert!(proof.ends.contains_key(&state), "no order ended {state}");
    }
    assert!(proof.attention, "no call was unanswered for long");
}

/// The schedules can fail, too.
#[test]
fn schedules_find_every_defect() {
    for defect in Defect::ALL {
        let rules = Rules {
            defect: Some(defect),
            ..RULES
        };
        let mut proof = Proof::default();
        let found = (0..SCHEDULES).find_map(|seed| Some((seed, play(seed, rules, &mut proof).err()?)));
        let Some((seed, broken)) = found else {
            panic!("{defect:?} was not found");
        };
        let short = shorten(broken, rules);
        println!(
            "{defect:?}: schedule {seed}, {} moves: {}",
            short.moves.len(),
            short.invariant
        );
    }
}

/// What is printed is enough to see the same again.
#[test]
fn a_seed_is_a_schedule() {
    let rules = Rules {
        defect: Some(Defect::NoTombstone),
        ..RULES
    };
    let run = |seed| {
        let mut proof = Proof::default();
        let broken = play(seed, rules, &mut proof)
            .err()
            .map(|broken| (broken.invariant, broken.moves));
        (broken, proof.ends)
    };
    for seed in 0..1_000 {
        assert_eq!(run(seed), run(seed));
    }
}
