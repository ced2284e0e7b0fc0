//! The state file: what was started, so that another program can show, restart and stop it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::process::{Process, ProcessId};
use crate::servers::write_private;
use crate::sys::Signal;

/// One process of a running system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its process id.
    pub id: ProcessId,
    /// The signal that ends it in good order.
    pub stop_with: Signal,
    /// Its log.
    pub log: PathBuf,
}

impl Entry {
    pub(super) fn of(process: &Process) -> Self {
        Self {
            name: process.name().to_owned(),
            id: process.id(),
            stop_with: process.stop_signal(),
            log: process.log().to_path_buf(),
        }
    }
}

/// Contents of `stack.json`. Holds the passwords of the private servers: readable by its owner only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The program that watches the processes; absent when they were detached.
    pub supervisor: Option<ProcessId>,
    /// What was started, in that order.
    pub processes: Vec<Entry>,
    /// How to start any of it again.
    pub plan: Plan,
}

impl State {
    /// The state file in a data folder.
    pub fn file(folder: &Path) -> PathBuf {
        folder.join("stack.json")
    }

    /// Reads the state in `folder`; nothing when no system was started there.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let file = Self::file(folder);
        match std::fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| file.display().to_string())
                .map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| file.display().to_string()),
        }
    }

    /// Replaces the file in one step.
    pub(super) fn write(&self) -> Result<()> {
        let file = Self::file(&self.plan.folder);
        let new = file.with_extension("json.new");
        write_private(&new, &serde_json::to_string_pretty(self)?)?;
        std::fs::rename(&new, &file).with_context(|| file.display().to_string())
    }

    /// The entry of one process.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.processes.iter().find(|entry| entry.name == name)
    }

    pub(super) fn record(&mut self, entry: Entry) {
        match self.processes.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => self.processes.push(entry),
        }
    }
}
