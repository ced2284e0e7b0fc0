//! `cargo xtask sdl`: what each subgraph says about itself, committed.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{node, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a committed SDL is stale.
    #[arg(long)]
    check: bool,
    /// Only these subgraphs.
    names: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let names = if arguments.names.is_empty() {
        workspace::subgraphs()?
    } else {
        arguments.names.clone()
    };
    let stale = export(&names, arguments.check)?;
    if stale.is_empty() {
        println!("{} SDLs are up to date", names.len());
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.check {
        bail!("stale, run `cargo xtask sdl` and commit: {}", stale.join(", "));
    }
    println!("written: {}", stale.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Names of the subgraphs whose committed SDL is stale.
pub(crate) fn stale() -> Result<Vec<String>> {
    export(&workspace::subgraphs()?, true)
}

/// Writes all SDLs.
pub(crate) fn write_all() -> Result<()> {
    export(&workspace::subgraphs()?, false)?;
    Ok(())
}

/// Fails when a committed SDL is stale.
pub(crate) fn check() -> Result<()> {
    let stale = stale()?;
    if !stale.is_empty() {
        bail!("stale, run `cargo xtask sdl` and commit: {}", stale.join(", "));
    }
    Ok(())
}

/// Writes the SDL of one subgraph.
pub(crate) fn write(name: &str) -> Result<()> {
    export(&[name.to_owned()], false)?;
    Ok(())
}

/// Prints the SDLs with the subgraphs' own `sdl` programs; returns the names whose file differed.
fn export(names: &[String], check: bool) -> Result<Vec<String>> {
    let programs: Vec<(&str, String)> = names
        .iter()
        .filter(|name| !node::is_service(name))
        .map(|name| (name.as_str(), format!("{name}-sdl")))
        .collect();
    let besides: Vec<(&str, &str)> = programs
        .iter()
        .map(|(package, program)| (*package, program.as_str()))
        .collect();
    workspace::build_besides(&besides)?;
    let mut stale = Vec::new();
    for name in names {
        let mut command = match node::sdl(name)? {
            Some(command) => command,
            None => Command::new(workspace::binaries(false)?.join(format!("{name}-sdl"))),
        };
        let output = command.stderr(std::process::Stdio::inherit()).output();
        let output = output.with_context(|| format!("the SDL of {name}"))?;
        if !output.status.success() {
            bail!("the SDL of {name}: {}", output.status);
        }
        let file = file(name);
        if std::fs::read(&file).unwrap_or_default() != output.stdout {
            stale.push(name.clone());
            if !check {
                std::fs::write(&file, &output.stdout).with_context(|| file.display().to_string())?;
            }
        }
    }
    Ok(stale)
}

/// The supergraph is committed; only a checkout in the middle of a change lacks it.
pub(crate) fn ensure_supergraph() -> Result<()> {
    if !workspace::root().join("router/supergraph.graphql").is_file() {
        export(&workspace::subgraphs()?, false)?;
        crate::compose::compose(false)?;
    }
    Ok(())
}

fn file(name: &str) -> PathBuf {
    workspace::root()
        .join("subgraphs")
        .join(name)
        .join("schema.graphql")
}
