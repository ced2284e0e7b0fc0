//! What a check found.

use serde::Serialize;

/// Violations are counted all and told as far as anyone reads.
const TOLD: usize = 20;

/// One invariant, looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Such as `I1`.
    pub id: &'static str,
    /// The invariant in a sentence.
    pub title: &'static str,
    /// Whether nothing was found against it; `None`: it could not be checked.
    pub holds: Option<bool>,
    /// What was counted on the way.
    pub figures: Vec<(String, i64)>,
    /// How many violations there are.
    pub violations: usize,
    /// The first of them in words, or why it could not be checked.
    pub notes: Vec<String>,
}

impl Finding {
    pub(crate) const fn new(id: &'static str, title: &'static str) -> Self {
        Self {
            id,
            title,
            holds: Some(true),
            figures: Vec::new(),
            violations: 0,
            notes: Vec::new(),
        }
    }

    /// An invariant that can't be checked from here.
    pub(crate) fn unchecked(id: &'static str, title: &'static str, why: &str) -> Self {
        Self {
            holds: None,
            notes: vec![why.to_owned()],
            ..Self::new(id, title)
        }
    }

    pub(crate) fn figure(&mut self, name: impl Into<String>, value: i64) {
        self.figures.push((name.into(), value));
    }

    pub(crate) fn count(&mut self, name: &str, things: usize) {
        self.figure(name, i64::try_from(things).unwrap_or(i64::MAX));
    }

    pub(crate) fn violated(&mut self, how: impl Into<String>) {
        self.holds = Some(false);
        self.violations += 1;
        if self.notes.len() < TOLD {
            self.notes.push(how.into());
        }
    }

    pub(crate) fn violated_by(&mut self, rows: Vec<String>) {
        for row in rows {
            self.violated(row);
        }
    }
}

/// All findings of an audit.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In the order of the invariants.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether no invariant is broken.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds != Some(false))
    }

    /// The finding of an invariant.
    pub fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }
}
