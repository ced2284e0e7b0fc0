//! `cargo xtask fuzz`: builds the fuzzer with the compiler's counters, and runs it.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::workspace;

/// What a stable compiler does to count which code runs, and what the counters call when the program starts.
const COUNTERS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Ccodegen-units=1 -Copt-level=2 -Cdebug-assertions -Coverflow-checks";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target is tried.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where chance begins; another one tries other inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Afterwards, put what was found into `tests/fuzz/found.tar.xz`, where the next run begins.
    #[arg(long)]
    keep: bool,
    /// Which targets: events, webhooks, webhook-signatures, cursors, websocket, requests, import-lines, tokens. All when
    /// none is named.
    targets: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    // Named by its host, so that programs that run while building, and macros, are built without counters.
    let host = host()?;
    let folder = workspace::target_folder()?.join("fuzz");
    let build = ["build", "-p", "fuzz", "--features", "coverage", "--target", &host];
    let mut command = workspace::cargo(&build)?;
    command
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", COUNTERS)
        .env("CARGO_INCREMENTAL", "0");
    workspace::must(&mut command)?;
    unpack()?;
    let mut command = Command::new(folder.join(host).join("debug/fuzz"));
    command
        .args(["--seconds", &arguments.seconds.to_string()])
        .args(["--seed", &arguments.seed.to_string()])
        .args(&arguments.targets);
    let status = command.status().context("the fuzzer")?;
    if arguments.keep {
        pack()?;
    }
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Inputs that led to code which no seed reaches, as earlier runs left them: the fuzzer reads them from `target`.
const FOUND: &str = "tests/fuzz/found.tar.xz";
const FOLDER: &str = "fuzz-corpus";

fn unpack() -> Result<()> {
    let target = workspace::root().join("target");
    if target.join(FOLDER).exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&target).with_context(|| target.display().to_string())?;
    let mut tar = Command::new("tar");
    tar.arg("-xJf")
        .arg(workspace::root().join(FOUND))
        .arg("-C")
        .arg(target);
    workspace::must(&mut tar)
}

/// Of the same findings always the same archive.
fn pack() -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cJf"])
        .arg(workspace::root().join(FOUND))
        .arg("-C")
        .arg(workspace::root().join("target"))
        .arg(FOLDER);
    workspace::must(&mut tar)
}

/// A short look at each target, with the programs as they are built for tests: what is new of an input is then only how
/// it was refused. Another seed each day, so that the days add up.
pub(crate) fn check() -> Result<()> {
    let today = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs() / 86_400;
    workspace::build_besides(&[("fuzz", "fuzz")])?;
    let mut command = Command::new(workspace::binaries(false)?.join("fuzz"));
    command.args(["--seconds", "5", "--seed", &today.to_string()]);
    workspace::must(&mut command)
}

/// The compiler's own platform.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say where it runs")?.to_owned())
}
