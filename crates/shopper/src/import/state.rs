//! How far an import came, kept in a file between runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Kept {
    next_line: u64,
}

/// The next line to load.
pub(super) struct Position {
    path: Option<PathBuf>,
    next_line: u64,
}

impl Position {
    /// Where the state file says, if there is one, or `from_line`.
    pub(super) fn open(path: Option<&Path>, from_line: u64) -> Result<Self> {
        let mut next_line = from_line;
        if let Some(path) = path.filter(|path| path.exists()) {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let kept: Kept = serde_json::from_str(&text)
                .with_context(|| format!("{} is no state file", path.display()))?;
            next_line = next_line.max(kept.next_line);
        }
        Ok(Self {
            path: path.map(Path::to_owned),
            next_line,
        })
    }

    pub(super) const fn first_line(&self) -> u64 {
        self.next_line
    }

    /// Everything up to `line` is done.
    pub(super) fn reached(&mut self, line: u64) -> Result<()> {
        self.next_line = line + 1;
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_string(&Kept {
            next_line: self.next_line,
        })?;
        // Renamed into place, so that a cut-off write leaves the old state.
        let fresh = path.with_extension("new");
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, path))
            .with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_goes_on_where_the_former_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("import.state");
        let mut position = Position::open(Some(&path), 1).unwrap();
        assert_eq!(position.first_line(), 1);
        position.reached(200).unwrap();
        assert_eq!(Position::open(Some(&path), 1).unwrap().first_line(), 201);
        fs::write(&path, "nonsense").unwrap();
        assert!(Position::open(Some(&path), 1).is_err());
    }
}
