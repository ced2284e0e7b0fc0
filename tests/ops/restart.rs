//! A process that was killed is shown and brought back; all in turn are replaced while people buy.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dev_stack::Signal;

use crate::Case;
use crate::commands::System;
use crate::shoppers::{Shoppers, must_be_paid};

pub(crate) const CASES: &[Case] = &[
    ("a killed process is shown as down, and restarts at once", killed),
    ("every process is replaced in turn, and no order fails", rolling),
];

fn killed(system: &System) -> Result<()> {
    let stack = system.stack()?;
    for name in ["order", "payment", "auth"] {
        stack.signal(name, Signal::Kill)?;
        // Not waited for: its last threads may still hold its ports.
        system.must(&["restart", name])?;
    }
    let stack = system.stack()?;
    stack.signal("cart", Signal::Kill)?;
    ensure!(stack.await_end("cart", Duration::from_secs(10))?);
    let shown = system.xtask(&["status"])?;
    let text = String::from_utf8_lossy(&shown.stdout);
    ensure!(!shown.status.success(), "{text}");
    ensure!(
        text.contains("not running; start it with: cargo xtask restart cart"),
        "{text}"
    );
    system.must(&["restart", "cart"])?;
    system.must(&["status"]).map(drop)
}

fn rolling(system: &System) -> Result<()> {
    let world = system.world()?;
    let (ada, variant) = world
        .runtime
        .block_on(async { anyhow::Ok((world.customer().await?, world.product(5_000).await?)) })?;
    let before = system.stack()?.state();
    let shoppers = Shoppers::enter(&world, &ada, &variant, 4);
    let said = system.must(&["restart", "--rolling"]);
    let bought = shoppers.leave(&world)?;
    let said = said?;
    let after = system.stack()?.state();
    for entry in &before.processes {
        let now = after.entry(&entry.name).context("a process is gone")?;
        let store = [
            "postgres",
            "redis",
            "epmd",
            "rabbitmq",
            "psp-sandbox",
            "mail-sandbox",
        ]
        .contains(&entry.name.as_str());
        ensure!(
            (now.id == entry.id) == store,
            "{} was {}replaced",
            entry.name,
            if store { "" } else { "not " }
        );
    }
    for each in &bought {
        must_be_paid(&world, &ada, &each.order)?;
    }
    system.audit(&[])?;
    let mut times: Vec<Duration> = bought.iter().map(|each| each.took).collect();
    times.sort_unstable();
    let slowest = times.last().copied().unwrap_or_default();
    eprintln!(
        "{said}{} orders, 0 failed; accepted within {:?} (half), {slowest:?} (all), repeats included",
        times.len(),
        times[times.len() / 2]
    );
    Ok(())
}
