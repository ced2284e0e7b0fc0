//! `cargo xtask faults CAMPAIGN`: builds the services and breaks a system of its own on purpose.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use dev_stack::{install, router};

use crate::show::Steps;
use crate::{armed, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Use services built for speed; that takes minutes the first time.
    #[arg(long)]
    release: bool,
    /// What to run, with its own arguments: smoke, soak, contention, ...; `--help` shows them all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    campaign: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if armed::needed(&arguments.campaign) {
        armed::build()?;
    }
    let mut command = prepare(arguments.release)?;
    command.args(&arguments.campaign);
    if arguments.release {
        command.arg("--binaries").arg(workspace::binaries(true)?);
    }
    let status = command.status().context("faults")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The campaigns of every test run.
pub(crate) const TESTED: [&[&str]; 1] = [&["matrix"]];

/// The campaigns that judge by times and by memory, in the sizes that fit into a test run.
pub(crate) const CHAOS: [&[&str]; 2] = [&["smoke"], &["contention", "--small"]];

/// One campaign as a test: its failure is an error.
pub(crate) fn check(campaign: &[&str]) -> Result<()> {
    let words: Vec<String> = campaign.iter().map(|word| (*word).to_owned()).collect();
    if armed::needed(&words) {
        armed::build()?;
    }
    workspace::must(prepare(false)?.args(campaign))
}

/// Builds all that takes part; the command that runs a campaign.
fn prepare(release: bool) -> Result<Command> {
    let steps = Steps::new();
    install::ensure_servers(&steps)?;
    router::ensure(&steps)?;
    workspace::build(release)?;
    workspace::build_besides(&[("faults", "faults")])?;
    Ok(Command::new(workspace::binaries(false)?.join("faults")))
}
