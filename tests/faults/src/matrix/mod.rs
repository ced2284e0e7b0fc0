//! The crash matrix: each point of the saga at which a process may die, in the process that may die there, with ten
//! orders under way. Afterwards every order is where it belongs, stock and money are exact, and the audit is clean.

mod commits;
mod evidence;
mod load;
mod queue;
mod report;
mod row;
mod rows;
mod strike;
mod system;
mod verify;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub(crate) use row::Row;
pub(crate) use rows::{ROWS, find};
pub(crate) use strike::{restore, run as run_row};
pub(crate) use system::System;

/// How long a failed row's buyers may take to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// Systems side by side. A third one would have the machine wait for its processors instead of for time-outs.
const LANES: usize = 2;

/// A row and what came of it.
type Told = (&'static Row, Result<strike::Shown>);

/// `faults matrix`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the programs; order, payment and inventory built with the feature `faults`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) binaries: Option<PathBuf>,
    /// Only these rows, such as C4,C5b
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write docs/crash-matrix.md
    #[arg(long)]
    write: bool,
}

/// Where `cargo xtask faults` puts the programs: `faults` beside the folder of the ordinary ones.
pub(crate) fn binaries(given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(folder) => Ok(folder.to_owned()),
        None => Ok(crate::binaries(None)?.with_file_name("faults")),
    }
}

/// Runs the rows, on as many systems side by side as pay: they wait for time-outs most of the time.
pub(crate) async fn run(arguments: &Arguments) -> Result<bool> {
    let rows = chosen(&arguments.only)?;
    let begun = Instant::now();
    let programs = binaries(arguments.binaries.as_deref())?;
    let lanes = LANES.min(rows.len());
    let queue = Arc::new(Mutex::new(VecDeque::from(rows)));
    let lanes: Vec<_> = (1..=lanes)
        .map(|number| tokio::spawn(lane(number, programs.clone(), queue.clone())))
        .collect();
    let mut results = Vec::new();
    for lane in lanes {
        results.extend(lane.await??);
    }
    // As they stand in the table, not as they ended.
    results.sort_by_key(|(row, _)| ROWS.iter().position(|other| other.id == row.id));
    let failed = results.iter().filter(|(_, result)| result.is_err()).count();
    let took = begun.elapsed();
    println!("{} rows, {failed} failed, {} s", results.len(), took.as_secs());
    if failed > 0 {
        return Ok(false);
    }
    if arguments.write {
        if !arguments.only.is_empty() {
            bail!("a part of the matrix is not written down");
        }
        std::fs::write(
            crate::world::root().join("docs/crash-matrix.md"),
            report::document(&results, took),
        )?;
    }
    Ok(true)
}

/// Takes rows off the queue, one after the other, on a system of its own.
async fn lane(
    number: usize,
    programs: PathBuf,
    queue: Arc<Mutex<VecDeque<&'static Row>>>,
) -> Result<Vec<Told>> {
    let system = Arc::new(System::start(&programs, "").await?);
    let mut results = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(row) = next else { break };
        let result = run_row(&system, row).await;
        println!("{}", report::line(row, &result));
        // A failed row must not disturb the next one.
        if result.is_err() {
            restore(&system)?;
        }
        results.push((row, result));
    }
    let failed = results.iter().any(|(_, result)| result.is_err());
    finish(system, failed.then(|| number.to_string()).as_deref()).await?;
    Ok(results)
}

/// Stops the system; the logs of a failed run stay in a folder of that name in `target/matrix-logs`.
pub(crate) async fn finish(mut system: Arc<System>, failed: Option<&str>) -> Result<()> {
    let kept = failed.map(|name| crate::world::root().join("target/matrix-logs").join(name));
    let begun = Instant::now();
    // The buyers of a row that failed are sent away, which takes a moment.
    let system = loop {
        match Arc::try_unwrap(system) {
            Ok(system) => break system,
            Err(shared) if begun.elapsed() < PATIENCE => system = shared,
            Err(_) => bail!("somebody is still shopping"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    system.finish(kept.as_deref())
}

fn chosen(only: &[String]) -> Result<Vec<&'static Row>> {
    if only.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let known = |id: &String| find(id).with_context(|| format!("there is no row {id}"));
    only.iter().map(known).collect()
}
