//! Processes that are kept away on purpose: whoever watches the system does not start them again.
//!
//! A mark in the data folder and not in the state file, because watcher and puller are different programs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Stack;
use crate::process::ProcessId;
use crate::sys::Signal;

fn folder(of: &Path) -> PathBuf {
    of.join("held")
}

/// A system that starts holds nothing back.
pub(super) fn clear(of: &Path) -> Result<()> {
    let folder = folder(of);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}

impl Stack {
    /// Whether a process is kept away on purpose.
    pub fn is_held(&self, name: &str) -> bool {
        self.mark(name).exists()
    }

    /// Kills a process and keeps it away until [`Stack::release`].
    pub fn hold(&self, name: &str) -> Result<()> {
        self.entry(name)?;
        let mark = self.mark(name);
        let folder = folder(&self.plan().folder);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        // Before its end, which the watcher notices at once.
        std::fs::write(&mark, "").with_context(|| mark.display().to_string())?;
        self.kill(name)
    }

    /// Lets a process run as it should: thaws it, or sees to its start and waits until it is ready. Where somebody
    /// watches the system, the watcher starts it.
    pub fn release(&self, name: &str) -> Result<()> {
        let entry = self.entry(name)?;
        // Absent when it was not held.
        let _ = std::fs::remove_file(self.mark(name));
        if entry.id.is_running() {
            return self.signal(name, Signal::Continue);
        }
        if self.state().supervisor.is_some_and(ProcessId::is_running) {
            return Ok(());
        }
        self.start_again(name)
    }

    fn mark(&self, name: &str) -> PathBuf {
        folder(&self.plan().folder).join(name)
    }
}
