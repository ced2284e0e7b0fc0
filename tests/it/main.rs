//! One system is started, all tests run against it as clients of the public graph, and the auditor reads the books.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stderr, reason = "the harness tells people")]

mod bad_input;
mod client;
mod collector;
mod configuration;
mod contracts;
mod coupons;
mod crash;
mod fulfilment;
mod identity;
mod notifications;
mod npm;
mod orders;
mod outage;
mod picture;
mod subscriptions;
mod telemetry;
mod trace;
mod webhooks;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::world::World;

/// A test: what it is called and what it does with the world.
type Case = (&'static str, fn(&World) -> anyhow::Result<()>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases: Vec<Case> = [
        bad_input::CASES,
        configuration::CASES,
        contracts::CASES,
        coupons::CASES,
        fulfilment::CASES,
        identity::CASES,
        notifications::CASES,
        npm::CASES,
        orders::CASES,
        subscriptions::CASES,
        telemetry::CASES,
        trace::CASES,
        webhooks::CASES,
    ]
    .concat();
    // Killing processes under the other tests would make them guess whose fault a failure is. The audit comes last.
    let violent: Vec<Case> = [outage::CASES, crash::CASES].concat();
    if arguments.list {
        let trials = cases
            .iter()
            .chain(&violent)
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
    let peaceful = libtest_mimic::run(&arguments, trials(&world, &cases));
    let alone = Arguments {
        test_threads: Some(1),
        ..arguments
    };
    let violent = libtest_mimic::run(&alone, trials(&world, &violent));
    let failed = peaceful.has_failed() || violent.has_failed();
    world.finish(failed);
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn trials(world: &Arc<World>, cases: &[Case]) -> Vec<Trial> {
    cases
        .iter()
        .map(|&(name, case)| {
            let world = Arc::clone(world);
            Trial::test(name, move || {
                Ok(case(&world).map_err(|error| format!("{error:#}"))?)
            })
        })
        .collect()
}
