//! `cargo xtask compose`: the supergraph from the subgraphs' SDLs.
//!
//! The composer compiles a query planner, so it is built and run only when something it reads has changed: a hash
//! of its input and output is committed beside the supergraph.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the committed supergraph is stale.
    #[arg(long)]
    check: bool,
    /// Compose even when nothing seems to have changed.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check && !arguments.force {
        check()?;
        println!("the supergraph is up to date");
    } else if is_current()? && !arguments.force {
        println!("nothing has changed since the supergraph was composed");
    } else {
        compose(arguments.check)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails when the supergraph was composed from other SDLs than those here.
pub(crate) fn check() -> Result<()> {
    if !is_current()? {
        bail!("router/supergraph.graphql is stale: run `cargo xtask compose` and commit it");
    }
    Ok(())
}

/// Builds and runs the composer.
pub(crate) fn compose(check: bool) -> Result<()> {
    let mut command = workspace::cargo(&["run", "--package", "composer", "--"])?;
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

fn is_current() -> Result<bool> {
    let recorded = std::fs::read_to_string(hash_file()).unwrap_or_default();
    Ok(recorded.trim() == hash()?)
}

fn hash_file() -> PathBuf {
    workspace::root().join("router/supergraph.hash")
}

/// Over everything the composer reads and writes.
fn hash() -> Result<String> {
    let root = workspace::root();
    let mut files = vec![
        root.join("supergraph.yaml"),
        root.join("router/supergraph.graphql"),
    ];
    files.extend(
        workspace::subgraphs()?
            .iter()
            .map(|name| root.join("subgraphs").join(name).join("schema.graphql")),
    );
    let contents: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap_or_default())
        .collect();
    Ok(format!("{:016x}", fnv1a(&contents)))
}

/// FNV-1a, 64 bits: the standard library promises no hash that stays the same between releases.
fn fnv1a(parts: &[Vec<u8>]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    parts
        .iter()
        .flat_map(|part| part.iter().copied().chain([0]))
        .fold(start, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tells_parts_apart_and_stays() {
        assert_eq!(fnv1a(&[]), 0xcbf2_9ce4_8422_2325);
        assert_ne!(
            fnv1a(&[b"ab".to_vec(), b"c".to_vec()]),
            fnv1a(&[b"a".to_vec(), b"bc".to_vec()])
        );
    }
}
