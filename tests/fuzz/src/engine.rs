//! Tries inputs and keeps the interesting ones.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::Target;
use crate::coverage::Coverage;
use crate::mutate::mutate;

/// An input that takes longer is as bad as one that panics.
const PATIENCE: Duration = Duration::from_secs(2);
/// Outcomes that are told by their words; should they hold something of the input, there would be no end of them.
const MOST_OUTCOMES: usize = 256;
/// So many different panics are enough.
const MOST_PANICS: usize = 10;

/// An input that made a target panic.
#[derive(Debug, Clone)]
pub struct Panic {
    /// Where it is kept.
    pub file: PathBuf,
    /// What was said.
    pub said: String,
}

/// What a run found.
#[derive(Debug, Clone)]
pub struct Report {
    target: &'static str,
    inputs: u64,
    took: Duration,
    seeds: usize,
    kept: usize,
    /// Inputs that no reader should panic at, and did.
    pub panics: Vec<Panic>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a figure for people"
        )]
        let speed = (self.inputs as f64 / self.took.as_secs_f64().max(0.001)) as u64;
        write!(
            f,
            "{:<20}{:>12}{speed:>10}{:>10}{:>10}{:>10}",
            self.target,
            self.inputs,
            self.seeds,
            self.kept,
            self.panics.len()
        )
    }
}

/// One target with its inputs.
pub struct Engine {
    target: Target,
    rng: StdRng,
    inputs: Vec<Vec<u8>>,
    coverage: Coverage,
    outcomes: HashSet<u64>,
    panics: Vec<Panic>,
    seeds: usize,
    tried: u64,
    /// Where new inputs go; nowhere in tests.
    findings: Option<PathBuf>,
    /// Where inputs go that make it panic: beside the seeds.
    pub(crate) panics_in: PathBuf,
}

fn own_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Engine {
    /// A target with its seeds and what earlier runs kept.
    pub fn open(target: Target, seed: u64) -> Result<Self> {
        let findings = own_folder().join("../../target/fuzz-corpus").join(target.name);
        fs::create_dir_all(&findings).with_context(|| findings.display().to_string())?;
        let mut engine = Self::of_seeds(target, seed)?;
        let earlier = read(&findings)?;
        for input in earlier {
            engine.attempt(&input)?;
        }
        engine.findings = Some(findings);
        Ok(engine)
    }

    /// A target with its seeds alone, which writes nothing but what panics.
    pub fn of_seeds(target: Target, seed: u64) -> Result<Self> {
        let mut engine = Self {
            target,
            rng: StdRng::seed_from_u64(seed),
            inputs: Vec::new(),
            coverage: Coverage::default(),
            outcomes: HashSet::new(),
            panics: Vec::new(),
            seeds: 0,
            tried: 0,
            findings: None,
            panics_in: own_folder().join("corpus").join(target.name),
        };
        let seeds = read(&engine.panics_in)?;
        engine.seeds = seeds.len();
        for seed in seeds {
            engine.attempt(&seed)?;
            if !engine.inputs.contains(&seed) {
                engine.inputs.push(seed);
            }
        }
        Ok(engine)
    }

    /// Tries changed inputs until the time is up.
    pub fn run_for(&mut self, time: Duration) -> Result<Report> {
        let begun = Instant::now();
        while begun.elapsed() < time && self.panics.len() < MOST_PANICS {
            self.step()?;
        }
        Ok(self.report(begun.elapsed()))
    }

    /// Tries so many.
    pub fn run(&mut self, count: u64) -> Result<Report> {
        let begun = Instant::now();
        for _ in 0..count {
            self.step()?;
        }
        Ok(self.report(begun.elapsed()))
    }

    fn step(&mut self) -> Result<()> {
        let changed = if self.inputs.is_empty() {
            (0..self.rng.random_range(0..64))
                .map(|_| self.rng.random())
                .collect()
        } else {
            // What was found last leads on more often.
            let newest = self.inputs.len().saturating_sub(16);
            let from = if self.rng.random_bool(0.3) { newest } else { 0 };
            let chosen = self.rng.random_range(from..self.inputs.len());
            mutate(&self.inputs[chosen], &self.inputs, &mut self.rng)
        };
        self.attempt(&changed)
    }

    fn time(&self, input: &[u8]) -> Duration {
        let begun = Instant::now();
        let _ = catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        begun.elapsed()
    }

    fn attempt(&mut self, input: &[u8]) -> Result<()> {
        self.tried += 1;
        Coverage::reset();
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        let took = begun.elapsed();
        let new = self.coverage.is_new();
        // A machine that is starved is slow now and then; an input that is slow is so each time.
        let slow = outcome.is_ok() && took > PATIENCE && (0..2).all(|_| self.time(input) > PATIENCE);
        match outcome {
            Ok(outcome) if !slow => {
                let other = self.outcomes.len() < MOST_OUTCOMES && self.outcomes.insert(outcome);
                if new || other {
                    self.keep(input)?;
                }
            }
            Ok(_) => self.panicked(input, format!("it took {took:?}"))?,
            Err(panic) => {
                let said = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                self.panicked(input, said.unwrap_or_else(|| "it panicked".to_owned()))?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, input: &[u8]) -> Result<()> {
        self.inputs.push(input.to_vec());
        if let Some(folder) = &self.findings {
            write(folder, "input", input)?;
        }
        Ok(())
    }

    fn panicked(&mut self, input: &[u8], said: String) -> Result<()> {
        if self.panics.iter().any(|known| known.said == said) {
            return Ok(());
        }
        let file = write(&self.panics_in, "panic", input)?;
        self.panics.push(Panic { file, said });
        Ok(())
    }

    fn report(&self, took: Duration) -> Report {
        Report {
            target: self.target.name,
            inputs: self.tried,
            took,
            seeds: self.seeds,
            kept: self.inputs.len().saturating_sub(self.seeds),
            panics: self.panics.clone(),
        }
    }
}

/// Inputs of a folder, by name.
fn read(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    files
        .iter()
        .map(|file| fs::read(file).with_context(|| file.display().to_string()))
        .collect()
}

/// Keeps an input under a name made of what it holds.
fn write(folder: &Path, kind: &str, input: &[u8]) -> Result<PathBuf> {
    let digest = hex::encode(&Sha256::digest(input)[..8]);
    let file = folder.join(format!("{kind}-{digest}"));
    fs::write(&file, input).with_context(|| file.display().to_string())?;
    Ok(file)
}
