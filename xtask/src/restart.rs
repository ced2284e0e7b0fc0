//! `cargo xtask restart`: one process, for trying what a crash does; or all in turn, as a release does.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dev_stack::Stack;
use dev_stack::stack::{MAIL, SANDBOX, State};

use crate::show::table;
use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A service, `psp-sandbox`, `mail-sandbox`, `auditor-watch`, `router` or `router-staff`.
    #[arg(required_unless_present = "rolling")]
    name: Option<String>,
    /// Kill it (SIGKILL) instead of letting it finish.
    #[arg(long)]
    kill: bool,
    /// Every process of ours, one after another, each when the one before is ready again.
    #[arg(long, conflicts_with_all = ["name", "kill"])]
    rolling: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let stack = Stack::attach(&workspace::data_folder())?.context("nothing runs")?;
    match &arguments.name {
        Some(name) => {
            one(&stack, name, arguments.kill)?;
            println!("{name} is ready again");
        }
        None => rolling(&stack)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn one(stack: &Stack, name: &str, kill: bool) -> Result<()> {
    stack.plan().ports_of(name)?;
    if kill {
        stack.kill(name)?;
    } else {
        stack.stop(name)?;
    }
    if stack
        .state()
        .supervisor
        .is_some_and(dev_stack::ProcessId::is_running)
    {
        await_supervisor(name)
    } else {
        stack
            .start_again(name)
            .with_context(|| format!("{name} is down (cargo xtask logs {name})"))
    }
}

fn rolling(stack: &Stack) -> Result<()> {
    let mut rows = vec![["process", "away"].map(str::to_owned).to_vec()];
    for name in ours(&stack.state()) {
        let begun = Instant::now();
        one(stack, &name, false)?;
        rows.push(vec![name, format!("{:.1} s", begun.elapsed().as_secs_f32())]);
    }
    print!("{}", table(&rows));
    println!("Every process is ready again.");
    Ok(())
}

/// What a release replaces: neither the stores nor the payment provider.
fn ours(state: &State) -> Vec<String> {
    let names = state.processes.iter().map(|entry| entry.name.clone());
    names
        .filter(|name| ![SANDBOX, MAIL].contains(&name.as_str()) && state.plan.ports.contains_key(name))
        .collect()
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
