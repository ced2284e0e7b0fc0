//! Composes the supergraph, or checks a change of it. `cargo xtask compose` and `cargo xtask schema-check` run it when
//! something it reads has changed.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use composer::check::{self, Base, Options};
use composer::{Tree, graph};

/// Composes and checks the graph that a checkout holds.
#[derive(Parser)]
struct Arguments {
    /// The checkout.
    #[arg(long, global = true, default_value = ".")]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the supergraphs and the API schemas.
    Compose {
        /// Write nothing; fail if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Judge the graph, and what changed in it.
    Check {
        /// A folder with the files of an earlier revision.
        #[arg(long)]
        base: Option<PathBuf>,
        /// How that revision is called.
        #[arg(long, default_value = "the base")]
        base_name: String,
        /// Where the report goes, besides the terminal.
        #[arg(long)]
        report: Option<PathBuf>,
        /// Write the plans and manifests first, so that they are as they are now.
        #[arg(long)]
        accept: bool,
        /// A subgraph whose committed SDL is stale.
        #[arg(long)]
        stale: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let tree = Tree::new(arguments.root);
    match arguments.command {
        Command::Compose { check } => compose(&tree, check),
        Command::Check {
            base,
            base_name,
            report,
            accept,
            stale,
        } => {
            if accept {
                write_generated(&tree)?;
            }
            let base = base.map(|folder| Base::new(base_name, Tree::new(folder)));
            let options = Options { stale_sdls: stale };
            let found = check::run(&tree, base.as_ref(), &options)?;
            let text = found.to_string();
            if let Some(file) = report {
                std::fs::write(&file, &text).with_context(|| file.display().to_string())?;
            }
            say(&text);
            Ok(if found.has_failed() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            })
        }
    }
}

fn compose(tree: &Tree, check: bool) -> Result<ExitCode> {
    let composed = graph::composed(tree).context("the subgraphs don't compose")?;
    for hint in &composed.hints {
        say(&format!("hint {hint}"));
    }
    let mut stale = Vec::new();
    for (file, text) in composed.files()? {
        if tree.read_if_any(file) != text {
            stale.push(file);
            if !check {
                tree.write(file, &text)?;
            }
        }
    }
    let count = composed.sdls.len();
    if stale.is_empty() {
        say(&format!("{count} subgraphs compose; nothing has changed"));
    } else if check {
        bail!(
            "stale, run `cargo xtask compose` and commit: {}",
            stale.join(", ")
        );
    } else {
        say(&format!(
            "composed {count} subgraphs; written: {}",
            stale.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn write_generated(tree: &Tree) -> Result<()> {
    let files = check::generated(tree)?;
    for old in tree.matching("router/persisted/*.json") {
        if !files.iter().any(|(name, _)| *name == old) {
            tree.remove(&old)?;
        }
    }
    for (file, text) in files {
        tree.write(&file, &text)?;
    }
    Ok(())
}

fn say(line: &str) {
    // A closed pipe is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}
