//! What operators do to a running system, by the commands they do it with: restart, roll, back up, restore.
//!
//! One detached system, the cases one after another: each leaves it as it should be. `cargo xtask test ops`.
#![expect(clippy::print_stderr, reason = "the harness tells people")]

#[path = "../it/client.rs"]
#[expect(dead_code, reason = "the suite `it` uses the rest")]
mod client;
#[path = "../it/collector.rs"]
#[expect(dead_code, reason = "nothing is traced here")]
mod collector;
mod commands;
mod restart;
mod restore;
mod shoppers;
#[path = "../it/world.rs"]
#[expect(dead_code, reason = "the suite `it` uses the rest")]
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::commands::System;

/// A test: what it is called and what it does with the system.
type Case = (&'static str, fn(&System) -> anyhow::Result<()>);

fn main() -> ExitCode {
    let arguments = Arguments {
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    let cases: Vec<Case> = [restart::CASES, restore::CASES].concat();
    let system = if arguments.list {
        None
    } else {
        match System::up() {
            Ok(system) => Some(Arc::new(system)),
            Err(error) => {
                eprintln!("the system does not start: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    };
    let trials = cases.into_iter().map(|(name, case)| {
        let system = system.clone();
        Trial::test(name, move || {
            let Some(system) = system else { return Ok(()) };
            Ok(case(&system).map_err(|error| format!("{error:#}"))?)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
