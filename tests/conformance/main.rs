//! What a subgraph owes a router, asked of each of ours directly: no router is started, and none hides a fault.
#![expect(clippy::print_stderr, reason = "the harness tells people")]

mod checks;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::world::World;

/// A test: what it is called and what it does with the world.
type Case = (&'static str, fn(&World) -> anyhow::Result<()>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        let names = checks::CASES.iter();
        let trials = names.map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let world = match World::start() {
        Ok(world) => Arc::new(world),
        Err(error) => {
            eprintln!("the system does not start: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trials = checks::CASES
        .iter()
        .map(|&(name, case)| {
            let world = Arc::clone(&world);
            Trial::test(name, move || {
                Ok(case(&world).map_err(|error| format!("{error:#}"))?)
            })
        })
        .collect();
    let outcome = libtest_mimic::run(&arguments, trials);
    world.stop();
    outcome.exit_code()
}
