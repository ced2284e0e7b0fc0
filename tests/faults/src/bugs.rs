//! The suite is tested too: ten bugs, each turned on in turn, and each must make a row of the matrix fail. Without a
//! bug the same rows must hold.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::matrix::{self, Row, System};

/// `faults bugs`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the programs; order, payment and inventory built with the feature `faults`
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// Only these bugs, without the control run
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write docs/seeded-bugs.md
    #[arg(long)]
    write: bool,
}

/// A bug, and the row that must fail because of it.
struct Bug {
    /// As `MERCATO_BUG` names it.
    name: &'static str,
    what: &'static str,
    row: &'static str,
    /// How long slow payments take in the row, where its own time leaves the bug too little.
    slow_ms: Option<u64>,
    /// A part of what the row says when it is this bug that it found, and not an accident.
    says: &'static [&'static str],
}

static BUGS: [Bug; 10] = [
    Bug {
        name: "ack_before_commit",
        what: "the consumer acknowledges before the inbox commits",
        row: "C14",
        slow_ms: None,
        says: &["is PAID", "I9"],
    },
    Bug {
        name: "no_inbox",
        what: "each delivery counts as a new event",
        row: "C15",
        slow_ms: None,
        says: &["I9"],
    },
    Bug {
        name: "marked_before_confirm",
        what: "outbox rows are marked before the broker confirms",
        row: "C10b",
        slow_ms: None,
        says: &["is PAID", "I9"],
    },
    Bug {
        name: "no_tombstone",
        what: "the release of an unknown reservation leaves no tombstone",
        row: "C29b",
        slow_ms: None,
        says: &["stock is"],
    },
    Bug {
        name: "release_before_void",
        what: "a cancelled order's stock is released before its payment is void",
        row: "C21",
        slow_ms: None,
        says: &["before the payment is void it must be HELD"],
    },
    Bug {
        name: "no_compare_and_set",
        what: "an answer is saved whatever happened since the question",
        row: "C29",
        slow_ms: None,
        says: &[
            "is PAID",
            "is CANCELLED",
            "came to rest as",
            "not at rest",
            "I8",
            "I14",
        ],
    },
    Bug {
        name: "unroutable_published",
        what: "an event that no queue took counts as published",
        row: "Q",
        slow_ms: None,
        says: &["is PAID"],
    },
    Bug {
        name: "short_ttl",
        what: "stock is held for less time than the payment has",
        row: "N",
        slow_ms: Some(8_000),
        says: &["is PAID"],
    },
    Bug {
        name: "random_refund_key",
        what: "each try of a refund has a key of its own",
        row: "C25",
        slow_ms: None,
        says: &["is REFUNDED", "not at rest", "gave", "I4", "I6", "I14"],
    },
    Bug {
        name: "no_available_predicate",
        what: "units are held without asking whether there are any",
        row: "S",
        slow_ms: None,
        says: &["is final", "units were sold", "I1", "I2"],
    },
];

/// Runs each bug against its row on a system of its own, and then the rows without a bug.
pub(crate) async fn run(arguments: &Arguments) -> Result<bool> {
    let binaries = matrix::binaries(arguments.binaries.as_deref())?;
    let mut caught = Vec::new();
    let mut missed = 0;
    for bug in BUGS
        .iter()
        .filter(|bug| arguments.only.is_empty() || arguments.only.iter().any(|only| only == bug.name))
    {
        let system = Arc::new(System::start(&binaries, bug.name).await?);
        if let Some(slow_ms) = bug.slow_ms {
            let provider = serde_json::json!({ "slow_ms": slow_ms });
            system.set_provider(provider).await?;
        }
        let result = matrix::run_row(&system, bug.row()?).await;
        // What the bug left behind is thrown away with the system.
        matrix::finish(system, None).await?;
        match result {
            Err(error) if bug.is_told_by(&format!("{error:#}")) => {
                println!("caught  {:<24} by {:<5} {error:#}", bug.name, bug.row);
                caught.push((bug, format!("{error:#}")));
            }
            Err(error) => {
                missed += 1;
                println!(
                    "UNSURE  {:<24} {} fails for another reason: {error:#}",
                    bug.name, bug.row
                );
            }
            Ok(_) => {
                missed += 1;
                println!("MISSED  {:<24} {} holds with the bug", bug.name, bug.row);
            }
        }
    }
    if arguments.only.is_empty() {
        missed += control(&binaries).await?;
    }
    if missed > 0 {
        return Ok(false);
    }
    if arguments.write {
        if !arguments.only.is_empty() {
            bail!("a part of the bugs is not written down");
        }
        std::fs::write(
            crate::world::root().join("docs/seeded-bugs.md"),
            document(&caught),
        )?;
    }
    Ok(true)
}

/// The same rows without a bug; answers how many failed.
async fn control(binaries: &std::path::Path) -> Result<usize> {
    let system = Arc::new(System::start(binaries, "").await?);
    let mut failed = 0;
    for bug in &BUGS {
        if let Err(error) = matrix::run_row(&system, bug.row()?).await {
            failed += 1;
            println!("FAILED  {} without a bug: {error:#}", bug.row);
            matrix::restore(&system)?;
        }
    }
    println!("control {} rows without a bug, {failed} failed", BUGS.len());
    matrix::finish(system, (failed > 0).then_some("bugs")).await?;
    Ok(failed)
}

impl Bug {
    fn row(&self) -> Result<&'static Row> {
        matrix::find(self.row).with_context(|| format!("there is no row {}", self.row))
    }

    fn is_told_by(&self, message: &str) -> bool {
        self.says.iter().any(|says| message.contains(says))
    }
}

const INTRODUCTION: &str = "# Seeded bugs

Written by `cargo xtask faults bugs --write`; do not edit.

A suite that never fails proves nothing. Each of these bugs is turned on in turn (`MERCATO_BUG`, only in builds with the
feature `faults`), on a system of its own, and the row of the [crash matrix](crash-matrix.md) named here must fail
and say so. Without a bug the same rows hold.

| bug | what is wrong | caught by | which says |
|---|---|---|---|
";

fn document(caught: &[(&Bug, String)]) -> String {
    let mut text = String::from(INTRODUCTION);
    for (bug, message) in caught {
        let message = message.replace('|', "/");
        // A string takes everything.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {message} |",
            bug.name, bug.what, bug.row
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bug_has_a_row() {
        assert!(BUGS.iter().all(|bug| bug.row().is_ok()));
    }
}
