//! `cargo xtask` against a system of its own, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use dev_stack::Stack;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::world::{World, binaries};

pub(crate) struct System {
    folder: tempfile::TempDir,
}

impl System {
    pub(crate) fn up() -> Result<Self> {
        let folder = dev_stack::servers::scratch_folder()?;
        let system = Self { folder };
        system.start()?;
        Ok(system)
    }

    /// Also after `down`: what it had is there again.
    pub(crate) fn start(&self) -> Result<()> {
        self.must(&["up", "--detach", "--no-page", "--no-seed"]).map(drop)
    }

    /// A folder for what a test writes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn stack(&self) -> Result<Stack> {
        Stack::attach(&self.data())?.context("nothing runs")
    }

    pub(crate) fn world(&self) -> Result<World> {
        World::with(self.stack()?, Runtime::new()?, None)
    }

    pub(crate) fn xtask(&self, words: &[&str]) -> Result<Output> {
        // Ports far from the usual ones: a system of a person's may run beside.
        Command::new(binaries()?.join("xtask"))
            .args(words)
            .env("MERCATO_DATA", self.data())
            .env("MERCATO_ROUTER_PORT", "14400")
            .env("MERCATO_STAFF_ROUTER_PORT", "14402")
            .env("MERCATO_WEBSOCKET_PORT", "14500")
            .output()
            .context("xtask is built by `cargo xtask test`")
    }

    /// What a command says, which must succeed.
    pub(crate) fn must(&self, words: &[&str]) -> Result<String> {
        let output = self.xtask(words)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}{complained}", words.join(" "));
        Ok(said)
    }

    /// The auditor's findings at rest.
    pub(crate) fn findings(&self) -> Result<Vec<Value>> {
        let output = self.xtask(&["audit", "--wait", "120", "--json"])?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        report["findings"].as_array().cloned().context("no findings")
    }

    /// No invariant is broken, but those that are named; answers what is said against them.
    pub(crate) fn audit(&self, broken: &[&str]) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for finding in self.findings()? {
            if finding["holds"] != false {
                continue;
            }
            if !broken.contains(&finding["id"].as_str().unwrap_or_default()) {
                bail!("{finding}");
            }
            let told = finding["notes"].as_array().into_iter().flatten();
            notes.extend(told.filter_map(Value::as_str).map(str::to_owned));
        }
        Ok(notes)
    }

    fn keep_logs(&self) {
        let logs = self.data().join("logs");
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ops-logs");
        let _ = Command::new("cp").arg("-rT").arg(logs).arg(kept).output();
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if std::env::var_os("MERCATO_KEEP_LOGS").is_some() {
            self.keep_logs();
        }
        // Nothing is left to tell when it does not stop: the next line deletes its data.
        let _ = self.xtask(&["reset"]);
    }
}
