//! `fuzz [--seconds N] [--seed N] [TARGET...]`: `cargo xtask fuzz` builds and calls it.
#![expect(clippy::print_stdout, reason = "a command line tool speaks to its terminal")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use fuzz::{Engine, TARGETS, Target};

#[derive(Parser)]
#[command(about = "Feeds broken input to whatever reads input from outside.")]
struct Arguments {
    /// How long each target is tried.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where chance begins; a run with the same one tries the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Which targets; all when none is named.
    targets: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let targets = chosen(&arguments.targets)?;
    let mut good = true;
    println!(
        "{:<20}{:>12}{:>10}{:>10}{:>10}{:>10}",
        "target", "inputs", "a second", "seeds", "kept", "panics"
    );
    for target in targets {
        let mut engine = Engine::open(*target, arguments.seed)?;
        let report = engine.run_for(Duration::from_secs(arguments.seconds))?;
        println!("{report}");
        for panic in &report.panics {
            println!("  {}: {}", panic.file.display(), panic.said);
        }
        good &= report.panics.is_empty();
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Target>> {
    let known = || {
        TARGETS
            .iter()
            .map(|target| target.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(unknown) = names
        .iter()
        .find(|name| !TARGETS.iter().any(|target| target.name == **name))
    {
        bail!("there is no target {unknown}: {}", known());
    }
    Ok(TARGETS
        .iter()
        .filter(|target| names.is_empty() || names.iter().any(|name| name == target.name))
        .collect())
}
