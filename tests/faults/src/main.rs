//! `faults`: breaks a running system on purpose and checks that nothing was lost. Run by `cargo xtask faults`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a campaign tells its terminal what it does"
)]

mod bugs;
mod chaos;
mod contention;
mod graph;
mod matrix;
mod proxy;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Breaks a system of its own, under load, and checks that no order, no unit and no cent is lost.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Each service killed at each point of the saga, with orders under way: about five minutes
    Matrix(matrix::Arguments),
    /// Ten bugs turned on, one after the other: the matrix must find each
    Bugs(bugs::Arguments),
    /// Every fault a few times under 3,000 orders: about five minutes
    Smoke(chaos::Arguments),
    /// The same for 45 minutes and 40,000 orders
    Soak(chaos::Arguments),
    /// Many buyers of the same things at the same time
    Contention(contention::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("faults: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all held.
async fn run(command: Command) -> Result<bool> {
    match command {
        Command::Matrix(arguments) => matrix::run(&arguments).await,
        Command::Bugs(arguments) => bugs::run(&arguments).await,
        Command::Smoke(arguments) => chaos::smoke(arguments).await,
        Command::Soak(arguments) => chaos::soak(arguments).await,
        Command::Contention(arguments) => contention::run(arguments).await,
    }
}

/// Where the services' programs are: cargo puts them beside this one.
fn binaries(given: Option<PathBuf>) -> Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.to_owned());
    given.or_else(beside).context("where am I?")
}
