//! `cargo xtask compose`: the supergraphs from the subgraphs' SDLs.
//!
//! The composer compiles a query planner, so it is built and run only when something it reads has changed: a hash
//! of its input and output is committed beside them.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a committed supergraph is stale.
    #[arg(long)]
    check: bool,
    /// Compose even when nothing seems to have changed.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check && !arguments.force {
        check()?;
        println!("the supergraphs are up to date");
    } else if is_current()? && !arguments.force {
        println!("nothing has changed since the supergraphs were composed");
    } else {
        compose(arguments.check)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails when the supergraphs were composed from other SDLs than those here.
pub(crate) fn check() -> Result<()> {
    if !is_current()? {
        bail!("the supergraphs are stale: run `cargo xtask compose` and commit what it writes");
    }
    Ok(())
}

/// Builds and runs the composer.
pub(crate) fn compose(check: bool) -> Result<()> {
    let mut command = composer()?;
    command.arg("compose");
    if check {
        command.arg("--check");
    }
    workspace::must(&mut command)?;
    if !check {
        let file = hash_file();
        std::fs::write(&file, format!("{}\n", hash()?)).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The composer, built if need be, in the checkout.
pub(crate) fn composer() -> Result<std::process::Command> {
    workspace::cargo(&["run", "--quiet", "--package", "composer", "--"])
}

fn is_current() -> Result<bool> {
    let recorded = std::fs::read_to_string(hash_file()).unwrap_or_default();
    Ok(recorded.trim() == hash()?)
}

fn hash_file() -> PathBuf {
    workspace::root().join("router/supergraph.hash")
}

/// What the composer writes: the whole graph and the public one, for routers and for those who write clients.
const WRITTEN: [&str; 4] = [
    "supergraph.graphql",
    "supergraph.public.graphql",
    "api.graphql",
    "api.public.graphql",
];

/// Over everything the composer reads and writes.
fn hash() -> Result<String> {
    let root = workspace::root();
    let mut files = vec![root.join("supergraph.yaml")];
    files.extend(WRITTEN.map(|name| root.join("router").join(name)));
    files.extend(
        workspace::subgraphs()?
            .iter()
            .map(|name| root.join("subgraphs").join(name).join("schema.graphql")),
    );
    let contents: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap_or_default())
        .collect();
    Ok(workspace::fingerprint(&contents))
}
