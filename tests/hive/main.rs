//! Hive Router as the public's edge: events that carry fields of other services, over the WebSocket and over SSE.
//!
//! One system, the cases one after another. `cargo xtask test hive`, which builds the router the first time.
#![expect(clippy::print_stderr, reason = "the harness tells people")]

mod cases;
#[path = "../it/client.rs"]
#[expect(dead_code, reason = "the suite `it` uses the rest")]
mod client;
#[path = "../it/collector.rs"]
#[expect(dead_code, reason = "nothing is traced here")]
mod collector;
#[path = "../it/world.rs"]
#[expect(dead_code, reason = "the suite `it` uses the rest")]
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use dev_stack::Stack;
use dev_stack::stack::{RouterFiles, Settings};
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

use crate::world::{World, binaries, root};

/// A test: what it is called and what it does with the world.
type Case = (&'static str, fn(&World) -> Result<()>);

fn main() -> ExitCode {
    let arguments = Arguments {
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    let folder = match dev_stack::servers::scratch_folder() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("no folder for the system: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let world = if arguments.list {
        None
    } else {
        match start(folder.path()) {
            Ok(world) => Some(Arc::new(world)),
            Err(error) => {
                eprintln!("the system does not start: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    };
    let trials = cases::CASES.iter().map(|(name, case)| {
        let world = world.clone();
        Trial::test(*name, move || {
            let Some(world) = world else { return Ok(()) };
            Ok(case(&world).map_err(|error| format!("{error:#}"))?)
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let Some(world) = world {
        world.finish(conclusion.has_failed());
    }
    conclusion.exit_code()
}

fn start(folder: &std::path::Path) -> Result<World> {
    let router = root().join("router");
    let apollo = dev_stack::router::ensure(&())?;
    let hive = dev_stack::hive::find().context("Hive Router is missing: cargo xtask test hive builds it")?;
    let mut settings = Settings::for_tests(folder.to_owned(), binaries()?);
    settings.router = Some(RouterFiles::in_folder(apollo, &router).with_hive(hive, &router));
    World::with(Stack::start(&settings, &())?, Runtime::new()?, None)
}
