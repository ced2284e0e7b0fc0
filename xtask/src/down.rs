//! `cargo xtask down` and `reset`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use dev_stack::{Signal, Stack};

use crate::show::Steps;
use crate::workspace;

/// Longer than a system takes to stop in good order.
const SUPERVISOR_PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn down() -> Result<ExitCode> {
    let Some(stack) = Stack::attach(&workspace::data_folder())? else {
        println!("Nothing runs.");
        return Ok(ExitCode::SUCCESS);
    };
    // An `up` in another terminal would start again what we stop: it stops everything itself.
    if let Some(supervisor) = stack
        .state()
        .supervisor
        .filter(|supervisor| supervisor.is_running())
    {
        supervisor.signal(Signal::Term).context("tell `up` to stop")?;
        supervisor.await_end(SUPERVISOR_PATIENCE);
    }
    stack.stop_all(&Steps::new());
    println!("Stopped. The data stays; `cargo xtask reset` deletes it.");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn reset() -> Result<ExitCode> {
    down()?;
    let folder = workspace::data_folder();
    if folder.exists() {
        dev_stack::servers::delete_data(&folder)?;
    }
    println!("Deleted {}.", folder.display());
    Ok(ExitCode::SUCCESS)
}
