//! All automation of the project: `cargo xtask COMMAND`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks to its terminal"
)]

mod armed;
mod backup;
mod compose;
mod deploy;
mod doctor;
mod down;
mod events;
mod faults;
mod fuzz;
mod keys;
mod logs;
mod manifests;
mod new_subgraph;
mod node;
mod restart;
mod saga;
mod schema_check;
mod sdl;
mod show;
mod sqlx;
mod status;
mod test;
mod tidy;
mod tools;
mod up;
mod web;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Runs, tests and checks Mercato.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything: private servers, the services, payment sandbox, routers.
    Up(up::Arguments),
    /// Stop everything; data stays.
    Down,
    /// Show each process with its addresses and readiness.
    Status(status::Arguments),
    /// Print a process's log.
    Logs(logs::Arguments),
    /// Stop or kill one process and start it again.
    Restart(restart::Arguments),
    /// Copy every store to one moment, while everything runs.
    Backup(backup::Folder),
    /// Put a backup in the place of the stores, while nothing runs.
    Restore(backup::Folder),
    /// Change the key that signs users' tokens, while everything runs.
    #[command(subcommand)]
    Keys(keys::Action),
    /// Stop everything and delete its data.
    Reset,
    /// Buy for real through the public graph and show the saga's steps.
    #[command(disable_help_flag = true)]
    Demo(tools::Rest),
    /// Load a catalogue (NDJSON, also gzipped) through the admin graph.
    #[command(disable_help_flag = true)]
    Import(tools::Rest),
    /// Check out recorded baskets as real users, then audit.
    #[command(disable_help_flag = true)]
    Replay(tools::Rest),
    /// Measure the running system: `pages` near and far, typical operations of the `graph`.
    #[command(disable_help_flag = true)]
    Bench(tools::Rest),
    /// Check the invariants over all databases.
    #[command(disable_help_flag = true)]
    Audit(tools::Rest),
    /// Look at one order, make its call now, or give it up: `show`, `retry`, `cancel`.
    #[command(disable_help_flag = true)]
    Saga(saga::Arguments),
    /// Events that were given up: `dead`, `replay`, `parked`, `replay-parked`.
    #[command(disable_help_flag = true)]
    Events(saga::Arguments),
    /// What the shop sold: `rebuild` makes all sums again from what was heard.
    #[command(disable_help_flag = true)]
    Analytics(saga::Arguments),
    /// Scaffold a subgraph and list it wherever all of them are.
    NewSubgraph(new_subgraph::Arguments),
    /// Write every file that lists services, from each service.toml.
    Manifests(manifests::Arguments),
    /// Write each subgraph's SDL.
    Sdl(sdl::Arguments),
    /// Compose the supergraph, if an SDL changed.
    Compose(compose::Arguments),
    /// Judge the graph and what changed in it: composition, breaking changes, recorded operations, plans, house rules.
    SchemaCheck(schema_check::Arguments),
    /// Write what the checked SQL macros need to compile without a database.
    Sqlx(sqlx::Arguments),
    /// Check the rules of the house that no compiler knows.
    Tidy,
    /// Run every test, or the named stages.
    Test(test::Arguments),
    /// Break a system of its own on purpose and check that nothing is lost.
    #[command(disable_help_flag = true)]
    Faults(faults::Arguments),
    /// Feed broken input to whatever reads input from outside; what makes it panic is kept.
    Fuzz(fuzz::Arguments),
    /// Say what this machine has and lacks.
    Doctor,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(arguments) => up::run(&arguments),
        Command::Down => down::down(),
        Command::Status(arguments) => status::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Restart(arguments) => restart::run(&arguments),
        Command::Backup(folder) => backup::back_up(&folder),
        Command::Restore(folder) => backup::restore(&folder),
        Command::Keys(action) => keys::run(&action),
        Command::Reset => down::reset(),
        Command::Demo(rest) => tools::demo(&rest),
        Command::Import(rest) => tools::import(&rest),
        Command::Replay(rest) => tools::replay(&rest),
        Command::Bench(rest) => tools::bench(&rest),
        Command::Audit(rest) => tools::audit(&rest),
        Command::Saga(arguments) => saga::run(&arguments),
        Command::Events(arguments) => events::run(&arguments),
        Command::Analytics(arguments) => saga::run_as("analytics", &arguments),
        Command::NewSubgraph(arguments) => new_subgraph::run(&arguments),
        Command::Manifests(arguments) => manifests::run(&arguments),
        Command::Sdl(arguments) => sdl::run(&arguments),
        Command::Compose(arguments) => compose::run(&arguments),
        Command::SchemaCheck(arguments) => schema_check::run(&arguments),
        Command::Sqlx(arguments) => sqlx::run(&arguments),
        Command::Tidy => tidy::run(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Faults(arguments) => faults::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Doctor => Ok(doctor::run()),
    }
}
