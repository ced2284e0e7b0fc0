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
async fn main() -> Result<ExitCode> {
    let filter = EnvFilter::try_from_env("LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let console = Console::new();
    let good = match cli.command {
        Command::Demo(args) => demo::demo(&cli.target, &args, &console).await?,
        Command::Import(args) => told(&console, import::import(&cli.target, &args, &console).await?),
        Command::Seed(args) => told(&console, import::seed(&cli.target, &args, &console).await?),
        Command::Replay(args) => {
            let report = replay::replay(&cli.target, &args, &console).await?;
            console.line(&report);
            console.line("Check every unit and every cent: cargo xtask audit");
            report.is_clean()
        }
    };
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Lines that could not be loaded are told, and no failure.
fn told(console: &Console, summary: import::Summary) -> bool {
    console.line(summary);
    true
}
