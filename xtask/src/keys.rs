//! `cargo xtask keys rotate`: another key signs users' tokens, without a restart and without a refused request.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use dev_stack::{Stack, add_user_key, http, retire_user_keys};

use crate::workspace;

/// Auth looks at its folder every ten seconds.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(30);
/// A key is published this long before it signs, so that every service has met it.
const SIGNS_AFTER: Duration = Duration::from_secs(61);

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Add a key that signs from a minute on, and remove those whose last token has ended.
    Rotate {
        /// Return as soon as the new key is published.
        #[arg(long)]
        no_wait: bool,
    },
}

pub(crate) fn run(action: &Action) -> Result<ExitCode> {
    let Action::Rotate { no_wait } = action;
    let folder = workspace::data_folder();
    let stack = Stack::attach(&folder)?.context("nothing runs")?;
    let plan = stack.plan();
    let keys = SocketAddr::from((Ipv4Addr::LOCALHOST, plan.ports_of("auth")?.public));
    let begun = Instant::now();
    let kid = add_user_key(&plan.folder)?;
    println!("key {kid} is made");
    await_published(keys, &kid, begun)?;
    println!(
        "key {kid} is published after {:.0} s; it signs in a minute",
        begun.elapsed().as_secs_f32()
    );
    for retired in retire_user_keys(&plan.folder)? {
        println!("key {retired} is removed: its last token has ended");
    }
    if !no_wait {
        thread::sleep(SIGNS_AFTER.saturating_sub(begun.elapsed()));
        println!("key {kid} signs; tokens of the keys before it are good until they end");
    }
    Ok(ExitCode::SUCCESS)
}

fn await_published(keys: SocketAddr, kid: &str, begun: Instant) -> Result<()> {
    let quoted = format!("\"{kid}\"");
    while begun.elapsed() < PUBLISHED_WITHIN {
        let answer = http::get(keys, "/.well-known/jwks.json");
        if answer.is_some_and(|answer| answer.status == 200 && answer.body.contains(&quoted)) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(250));
    }
    bail!("auth does not publish key {kid}: see `cargo xtask logs auth`")
}
