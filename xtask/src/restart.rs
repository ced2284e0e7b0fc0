//! `cargo xtask restart NAME`: for trying what a crash does.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dev_stack::Stack;

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A service, `psp-sandbox` or `router`.
    name: String,
    /// Kill it (SIGKILL) instead of letting it finish.
    #[arg(long)]
    kill: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let name = arguments.name.as_str();
    let stack = Stack::attach(&workspace::data_folder())?.context("nothing runs")?;
    stack.plan().ports_of(name)?;
    if arguments.kill {
        stack.kill(name)?;
    } else {
        stack.stop(name)?;
    }
    if stack
        .state()
        .supervisor
        .is_some_and(dev_stack::ProcessId::is_running)
    {
        await_supervisor(name)?;
    } else {
        stack
            .start_again(name)
            .with_context(|| format!("{name} is down (cargo xtask logs {name})"))?;
    }
    println!("{name} is ready again");
    Ok(ExitCode::SUCCESS)
}

/// `up` in another terminal starts it again and records the new process.
fn await_supervisor(name: &str) -> Result<()> {
    for _ in 0..300 {
        std::thread::sleep(Duration::from_millis(100));
        let stack = Stack::attach(&workspace::data_folder())?.context("nothing runs any more")?;
        let running = stack
            .state()
            .entry(name)
            .is_some_and(|entry| entry.id.is_running());
        if running && stack.readiness(name)?.is_some_and(|answer| answer.status == 200) {
            return Ok(());
        }
    }
    bail!("{name} is not ready after 30 s; the terminal of `up` says why (also: cargo xtask logs {name})")
}
