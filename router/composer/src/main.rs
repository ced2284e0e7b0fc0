//! Composes the subgraphs named in `supergraph.yaml` into one supergraph, with the composition the router's own
//! release carries. Owns nothing but that; run by `cargo xtask compose` when an SDL changed.

mod config;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use apollo_federation::composition::{CompositionFailure, CompositionOptions, compose};
use apollo_federation::subgraph::typestate::{Initial, Subgraph};
use clap::Parser;

use crate::config::SupergraphConfig;

/// Composes a supergraph from the SDL files that a rover configuration names.
#[derive(Parser)]
struct Arguments {
    /// The configuration, in rover's format.
    #[arg(long, default_value = "supergraph.yaml")]
    config: PathBuf,
    /// Where the supergraph goes.
    #[arg(long, default_value = "router/supergraph.graphql")]
    output: PathBuf,
    /// Write nothing; fail if the file is not what would be written.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String> {
    let config = SupergraphConfig::read(&arguments.config)?;
    let folder = arguments.config.parent().unwrap_or(Path::new("."));
    let subgraphs = load(&config, folder)?;
    let count = subgraphs.len();
    let sdl = supergraph_of(subgraphs)?;
    if arguments.check {
        let committed = fs::read_to_string(&arguments.output).unwrap_or_default();
        if committed != sdl {
            bail!(
                "{} is stale: run `cargo xtask compose` and commit it",
                arguments.output.display()
            );
        }
        return Ok(format!(
            "{count} subgraphs compose; {} is up to date",
            arguments.output.display()
        ));
    }
    fs::write(&arguments.output, sdl).with_context(|| format!("writing {}", arguments.output.display()))?;
    Ok(format!(
        "composed {count} subgraphs into {}",
        arguments.output.display()
    ))
}

fn load(config: &SupergraphConfig, folder: &Path) -> Result<Vec<Subgraph<Initial>>> {
    let mut subgraphs = Vec::new();
    for (name, entry) in &config.subgraphs {
        let path = folder.join(&entry.schema.file);
        let sdl = fs::read_to_string(&path)
            .with_context(|| format!("reading the SDL of {name}: {}", path.display()))?;
        let subgraph = Subgraph::parse(name, &entry.routing_url, &sdl)
            .map_err(|error| anyhow::anyhow!("the SDL of {name} can't be read: {error:?}"))?;
        subgraphs.push(subgraph);
    }
    Ok(subgraphs)
}

fn supergraph_of(subgraphs: Vec<Subgraph<Initial>>) -> Result<String> {
    match compose(subgraphs, CompositionOptions::default()) {
        Ok(supergraph) => {
            for hint in supergraph.hints() {
                say(&format!("hint {}: {}", hint.code(), hint.message()));
            }
            let sdl = supergraph.schema().schema().to_string();
            Ok(format!(
                "# Composed from the subgraphs' schema.graphql by `cargo xtask compose`. Don't edit.\n{sdl}"
            ))
        }
        Err(CompositionFailure { errors, .. }) => {
            let lines: Vec<String> = errors
                .iter()
                .map(|error| format!("  {}: {error}", error.code().definition().code()))
                .collect();
            bail!("the subgraphs don't compose:\n{}", lines.join("\n"))
        }
    }
}

fn say(line: &str) {
    // A closed pipe is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
