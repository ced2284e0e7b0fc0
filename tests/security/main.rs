//! Nobody gets in where they don't belong: one system as in production, and every way in that should be shut.
//!
//! Each group of cases prints how many there were; `target/security-cases.tsv` lists every case with the refusal it
//! got. Beside the refusals stand controls: what is right works, and no store holds anything else than before.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stderr, reason = "the harness tells people")]

mod answer;
mod bodies;
mod broker;
mod doors;
mod faults;
mod federation;
mod forge;
mod gateway;
mod http_spec;
mod identity;
mod jwt;
mod kids;
mod ledger;
mod limits;
mod ownership;
mod people;
mod production;
mod rates;
mod rest;
mod rotation;
mod schema;
mod secrets;
mod slow;
mod timing;
mod twin;
mod webhooks;
mod websocket;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::world::World;

/// A test: what it is called and what it does with the world.
type Case = (&'static str, fn(&World) -> anyhow::Result<()>);

fn main() -> ExitCode {
    // One group after the other: each looks at what the stores hold before and after it.
    let arguments = Arguments {
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    let cases: Vec<Case> = [
        jwt::CASES,
        kids::CASES,
        rest::CASES,
        gateway::CASES,
        limits::CASES,
        rates::CASES,
        bodies::CASES,
        federation::CASES,
        ownership::CASES,
        websocket::CASES,
        slow::CASES,
        webhooks::CASES,
        broker::CASES,
        production::CASES,
        http_spec::CASES,
        identity::CASES,
        timing::CASES,
        rotation::CASES,
        secrets::CASES,
    ]
    .concat();
    if arguments.list {
        let trials = cases
            .iter()
            .map(|(name, _)| Trial::test(*name, || Ok(())))
            .collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let world = match World::start() {
        Ok(world) => Arc::new(world),
        Err(error) => {
            eprintln!("the system does not start: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trials = cases
        .iter()
        .map(|&(name, case)| {
            let world = Arc::clone(&world);
            Trial::test(name, move || {
                Ok(case(&world).map_err(|error| format!("{error:#}"))?)
            })
        })
        .collect();
    let outcome = libtest_mimic::run(&arguments, trials);
    eprintln!("{}", world.ledger.summary());
    match world.ledger.write() {
        Ok(file) => eprintln!("every case is in {}\n", file.display()),
        Err(error) => eprintln!("the list of cases can't be written: {error:#}"),
    }
    world.finish(outcome.has_failed());
    outcome.exit_code()
}
