//! `cargo xtask test`: everything, against private servers started for it, with a summary.

mod told;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dev_stack::servers::{Postgres, RabbitMq, Redis, scratch_folder};
use dev_stack::{Progress, hive, install, router};

use self::told::{Counts, Told};
use crate::show::{Steps, table};
use crate::{compose, deploy, faults, fuzz, new_subgraph, node, schema_check, sdl, tidy, web, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Stages to run: lint (fmt, tidy, sdl, compose, clippy), schema, unit, node, deploy, e2e, web, browser, room, faults, chaos,
    /// ops, hive, security. When none is named: all but security, which runs with e2e, room and ops, which take long, and
    /// hive, which needs another router.
    stages: Vec<String>,
}

struct Outcome {
    stage: &'static str,
    /// Why it failed, if it did.
    error: Option<String>,
    told: Told,
    took: Duration,
}

/// Every stage, in the order they run: the quick ones first.
const STAGES: [&str; 18] = [
    "fmt", "tidy", "sdl", "compose", "clippy", "schema", "unit", "node", "deploy", "e2e", "web", "browser",
    "room", "faults", "chaos", "ops", "hive", "security",
];
const LINT: [&str; 5] = ["fmt", "tidy", "sdl", "compose", "clippy"];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let stages = chosen(&arguments.stages)?;
    let steps = Steps::new();
    let servers = if stages.contains(&"unit") {
        Some(Servers::start(&steps)?)
    } else {
        None
    };
    if stages
        .iter()
        .any(|stage| ["e2e", "browser", "room", "ops", "hive", "security"].contains(stage))
    {
        install::ensure_servers(&steps)?;
        router::ensure(&steps)?;
    }
    let outcomes: Vec<Outcome> = stages
        .iter()
        .map(|stage| run_stage(stage, servers.as_ref()))
        .collect();
    Ok(summarise(&outcomes))
}

/// Stages that run when they are named: `security` is a suite of `e2e` and runs with it; `room` watches the control room
/// for ten minutes, and `browser` does for one; `ops` starts, rolls, backs up and restores a whole system; `hive` has
/// another router for the public, which takes a quarter of an hour to build.
const ON_DEMAND: [&str; 4] = ["security", "room", "ops", "hive"];

/// The named stages in their own order; all but those on demand when none is named.
fn chosen(names: &[String]) -> Result<Vec<&'static str>> {
    if names.is_empty() {
        return Ok(STAGES
            .into_iter()
            .filter(|stage| !ON_DEMAND.contains(stage))
            .collect());
    }
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "lint" && !STAGES.contains(name))
        .collect();
    if !unknown.is_empty() {
        bail!(
            "no such stage: {} (there are lint, {})",
            unknown.join(", "),
            STAGES.join(", ")
        );
    }
    let wanted = |stage: &&str| {
        names.iter().any(|name| name == stage)
            || (names.iter().any(|name| name == "lint") && LINT.contains(stage))
    };
    Ok(STAGES.into_iter().filter(|stage| wanted(stage)).collect())
}

/// Shared by all unit and integration tests; each test has its own database, namespace and queues in them.
struct Servers {
    postgres: Postgres,
    redis: Redis,
    rabbitmq: RabbitMq,
    // Declared last: dropped when the servers have gone.
    _folder: tempfile::TempDir,
}

impl Servers {
    fn start(steps: &Steps) -> Result<Self> {
        install::ensure_servers(steps)?;
        let folder = scratch_folder()?;
        steps.begin("private servers");
        let servers = Self {
            postgres: Postgres::start(folder.path())?,
            redis: Redis::start(folder.path())?,
            rabbitmq: RabbitMq::start(folder.path())?,
            _folder: folder,
        };
        steps.end("private servers");
        Ok(servers)
    }

    fn set(&self, command: &mut Command) {
        command
            .env("MERCATO_TEST_POSTGRES", self.postgres.url())
            .env("MERCATO_TEST_REDIS", self.redis.url())
            .env("MERCATO_TEST_AMQP", self.rabbitmq.url());
    }
}

fn run_stage(stage: &'static str, servers: Option<&Servers>) -> Outcome {
    println!("\n=== {stage}");
    let begun = Instant::now();
    let mut told = Told::default();
    let error = perform(stage, servers, &mut told)
        .err()
        .map(|error| format!("{error:#}"));
    if let Some(error) = &error {
        println!("{stage}: {error}");
    }
    let counts = &mut told.counts;
    // What counts no tests of its own counts as one.
    if *counts == Counts::default() {
        counts.passed = u64::from(error.is_none());
        counts.failed = u64::from(error.is_some());
    } else if error.is_some() && counts.failed == 0 {
        counts.failed = 1;
    }
    Outcome {
        stage,
        error,
        told,
        took: begun.elapsed(),
    }
}

fn perform(stage: &str, servers: Option<&Servers>, told: &mut Told) -> Result<()> {
    match stage {
        "fmt" => workspace::must(&mut workspace::cargo(&["fmt", "--all", "--check"])?),
        "tidy" => tidy::check().map(drop),
        "sdl" => {
            sdl::check()?;
            new_subgraph::check()
        }
        "compose" => compose::check(),
        "clippy" => {
            clippy(&["--workspace", "--exclude", "composer"])?;
            // By itself: its query planner would choose other features for everybody's dependencies.
            clippy(&["--package", "composer"])
        }
        "schema" => {
            // By itself, for the same reason.
            count(
                &mut workspace::cargo(&["test", "--package", "composer", "--no-fail-fast"])?,
                told,
            )?;
            schema_check::test()?;
            told.counts.passed += 1;
            Ok(())
        }
        "unit" => {
            let mut command = workspace::cargo(&[
                "test",
                "--workspace",
                "--exclude",
                "composer",
                "--exclude",
                "e2e",
                "--exclude",
                "deploy",
                "--no-fail-fast",
            ])?;
            if let Some(servers) = servers {
                servers.set(&mut command);
            }
            count(&mut command, told)
        }
        "e2e" => {
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&[
                    "test",
                    "-p",
                    "e2e",
                    "--test",
                    "conformance",
                    "--test",
                    "it",
                    "--test",
                    "security",
                    "--no-fail-fast",
                ])?,
                told,
            )
        }
        "deploy" => {
            deploy::prepare();
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&["test", "-p", "deploy", "--no-fail-fast"])?,
                told,
            )
        }
        "faults" => campaigns(&faults::TESTED, told),
        "chaos" => campaigns(&faults::CHAOS, told),
        "node" => node::check(&mut |command| count(command, told)),
        "web" => web::check(&mut |command| count(command, told)),
        "browser" => web::browse(web::Browsing::All, &mut |command| count(command, told)),
        "room" => web::browse(web::Browsing::Room, &mut |command| count(command, told)),
        "hive" => {
            hive::ensure(&Steps::new())?;
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&["test", "-p", "e2e", "--test", stage, "--no-fail-fast"])?,
                told,
            )
        }
        "ops" | "security" => {
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&["test", "-p", "e2e", "--test", stage, "--no-fail-fast"])?,
                told,
            )?;
            fuzz::check()?;
            told.counts.passed += 1;
            Ok(())
        }
        other => bail!("no such stage: {other}"),
    }
}

fn campaigns(all: &[&[&str]], told: &mut Told) -> Result<()> {
    for campaign in all {
        faults::check(campaign)?;
        told.counts.passed += 1;
    }
    Ok(())
}

fn clippy(packages: &[&str]) -> Result<()> {
    let mut command = workspace::cargo(&["clippy"])?;
    command
        .args(packages)
        .args(["--all-targets", "--", "-D", "warnings"]);
    workspace::must(&mut command)
}

/// Runs `cargo test`, shows what it says, and keeps what counts of it.
fn count(command: &mut Command, told: &mut Told) -> Result<()> {
    let name = workspace::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| name.clone())?;
    let output = child.stdout.take().context("no output")?;
    let mut out = std::io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        told.hear(&String::from_utf8_lossy(&line));
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{name}: {status}");
    }
    Ok(())
}

fn summarise(outcomes: &[Outcome]) -> ExitCode {
    let head = ["stage", "", "passed", "failed", "ignored", "seconds"]
        .map(str::to_owned)
        .to_vec();
    let row = |outcome: &Outcome| {
        let Counts {
            passed,
            failed,
            ignored,
        } = outcome.told.counts;
        let verdict = if outcome.error.is_none() { "ok" } else { "FAILED" };
        vec![
            outcome.stage.to_owned(),
            verdict.to_owned(),
            passed.to_string(),
            failed.to_string(),
            ignored.to_string(),
            format!("{:.1}", outcome.took.as_secs_f32()),
        ]
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(outcomes.iter().map(row)).collect();
    for outcome in outcomes {
        let Some(error) = &outcome.error else { continue };
        println!("\n=== {} failed: {error}", outcome.stage);
        for line in &outcome.told.failures {
            println!("{line}");
        }
    }
    println!("\n{}", table(&rows));
    let passed: u64 = outcomes.iter().map(|outcome| outcome.told.counts.passed).sum();
    let failed: u64 = outcomes.iter().map(|outcome| outcome.told.counts.failed).sum();
    println!("{passed} passed, {failed} failed");
    if outcomes.iter().all(|outcome| outcome.error.is_none()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_run_in_their_order() {
        assert_eq!(chosen(&[]).unwrap().last(), Some(&"chaos"));
        assert_eq!(
            chosen(&["e2e".to_owned(), "unit".to_owned()]).unwrap(),
            ["unit", "e2e"]
        );
        assert_eq!(chosen(&["lint".to_owned()]).unwrap(), LINT);
        assert!(chosen(&["units".to_owned()]).is_err());
    }
}
