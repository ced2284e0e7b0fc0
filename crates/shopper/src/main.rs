//! The shopper's command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use shopper::console::Console;
use shopper::target::Target;
use shopper::{demo, import, replay};
use tracing_subscriber::EnvFilter;

/// Buys, imports and replays through the public graph.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Import(import::ImportArgs),
    Seed(import::SeedArgs),
    Replay(replay::ReplayArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let console = Console::new();
    match run(Cli::parse(), &console).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console.line(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether the command came out as it should. Lines that can't be loaded are told, and no failure.
async fn run(cli: Cli, console: &Console) -> Result<bool> {
    match cli.command {
        Command::Demo(args) => return demo::demo(&cli.target, &args, console).await,
        Command::Import(args) => console.line(import::import(&cli.target, &args, console).await?),
        Command::Seed(args) => match import::seed(&cli.target, &args, console).await? {
            Some(summary) => console.line(summary),
            None => console.line("The catalogue has products already: nothing to seed."),
        },
        Command::Replay(args) => {
            let report = replay::replay(&cli.target, &args, console).await?;
            console.line(&report);
            console.line("Check every unit and every cent: cargo xtask audit");
            return Ok(report.is_clean());
        }
    }
    Ok(true)
}
