//! `cargo xtask test`: everything, against private servers started for it, with a summary.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dev_stack::servers::{Postgres, RabbitMq, Redis, scratch_folder};
use dev_stack::{Progress, hive, install, router};

use crate::show::{Steps, table};
use crate::{compose, deploy, faults, fuzz, new_subgraph, node, schema_check, sdl, tidy, web, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Stages to run: lint (fmt, tidy, sdl, compose, clippy), schema, unit, node, deploy, e2e, web, browser, room, faults, chaos,
    /// ops, hive, security. When none is named: all but security, which runs with e2e, room and ops, which take long, and
    /// hive, which needs another router.
    stages: Vec<String>,
}

/// What one stage found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

struct Outcome {
    stage: &'static str,
    ok: bool,
    counts: Counts,
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
    let mut counts = Counts::default();
    let result = perform(stage, servers, &mut counts);
    if let Err(error) = &result {
        println!("{stage}: {error:#}");
    }
    // What counts no tests of its own counts as one.
    if counts == Counts::default() {
        counts.passed = u64::from(result.is_ok());
        counts.failed = u64::from(result.is_err());
    } else if result.is_err() && counts.failed == 0 {
        counts.failed = 1;
    }
    Outcome {
        stage,
        ok: result.is_ok(),
        counts,
        took: begun.elapsed(),
    }
}

fn perform(stage: &str, servers: Option<&Servers>, counts: &mut Counts) -> Result<()> {
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
                counts,
            )?;
            schema_check::test()?;
            counts.passed += 1;
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
            count(&mut command, counts)
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
                counts,
            )
        }
        "deploy" => {
            deploy::prepare();
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&["test", "-p", "deploy", "--no-fail-fast"])?,
                counts,
            )
        }
        "faults" => campaigns(&faults::TESTED, counts),
        "chaos" => campaigns(&faults::CHAOS, counts),
        "node" => node::check(&mut |command| count(command, counts)),
        "web" => web::check(&mut |command| count(command, counts)),
        "browser" => web::browse(web::Browsing::All, &mut |command| count(command, counts)),
        "room" => web::browse(web::Browsing::Room, &mut |command| count(command, counts)),
        "hive" => {
            hive::ensure(&Steps::new())?;
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&["test", "-p", "e2e", "--test", stage, "--no-fail-fast"])?,
                counts,
            )
        }
        "ops" | "security" => {
            workspace::build(false)?;
            count(
                &mut workspace::cargo(&["test", "-p", "e2e", "--test", stage, "--no-fail-fast"])?,
                counts,
            )?;
            fuzz::check()?;
            counts.passed += 1;
            Ok(())
        }
        other => bail!("no such stage: {other}"),
    }
}

fn campaigns(all: &[&[&str]], counts: &mut Counts) -> Result<()> {
    for campaign in all {
        faults::check(campaign)?;
        counts.passed += 1;
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

/// Runs `cargo test`, shows what it says, and adds up its summary lines.
fn count(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let name = workspace::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| name.clone())?;
    let output = child.stdout.take().context("no output")?;
    let mut out = std::io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        counts.add(&String::from_utf8_lossy(&line));
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{name}: {status}");
    }
    Ok(())
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...` of cargo's, `Tests  3 passed (3)` of
    /// vitest's, or `  3 passed (1.2m)` of Playwright's.
    fn add(&mut self, line: &str) {
        let trimmed = line.trim();
        let alone = trimmed.split_once(' ').is_some_and(|(number, rest)| {
            let (word, time) = rest.split_once(' ').unwrap_or((rest, "("));
            number.parse::<u64>().is_ok()
                && ["passed", "failed", "skipped"].contains(&word)
                && time.starts_with('(')
        });
        let rest = match (line.strip_prefix("test result: "), trimmed.strip_prefix("Tests ")) {
            (Some(rest), _) | (None, Some(rest)) => rest,
            (None, None) if alone && line.starts_with("  ") => trimmed,
            _ => return,
        };
        let words: Vec<&str> = rest
            .split([' ', ';', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "skipped" => self.ignored += number,
                _ => {}
            }
        }
    }
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
        } = outcome.counts;
        let verdict = if outcome.ok { "ok" } else { "FAILED" };
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
    println!("\n{}", table(&rows));
    let passed: u64 = outcomes.iter().map(|outcome| outcome.counts.passed).sum();
    let failed: u64 = outcomes.iter().map(|outcome| outcome.counts.failed).sum();
    println!("{passed} passed, {failed} failed");
    if outcomes.iter().all(|outcome| outcome.ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_cargos_summaries() {
        let mut counts = Counts::default();
        counts.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.1s",
        );
        counts.add("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured");
        counts.add("test says::passed ... ok");
        assert_eq!(
            counts,
            Counts {
                passed: 5,
                failed: 4,
                ignored: 1
            }
        );
    }

    #[test]
    fn adds_up_what_the_pages_tests_say() {
        let mut counts = Counts::default();
        for line in [
            " Test Files  7 passed (7)",
            "      Tests  1 failed | 38 passed (39)",
            "  20 passed (1.2m)",
            "  2 failed",
            "  1 skipped",
            "  12 failed attempts were made",
        ] {
            counts.add(line);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 58,
                failed: 3,
                ignored: 1
            }
        );
    }

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
