//! What the check found, as Markdown for people and a verdict for programs.

use std::fmt;

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing to say against it.
    Ok,
    /// To be read, but no reason to stop.
    Note,
    /// A reason to stop.
    Failed,
    /// Not done, since an earlier step failed or there is nothing to compare with.
    Skipped,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Failed => "**FAILED**",
            Self::Skipped => "skipped",
        }
    }
}

/// One step of the check.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was looked at.
    pub title: &'static str,
    /// How it went.
    pub state: State,
    /// In one line.
    pub summary: String,
    /// Each finding, as Markdown.
    pub findings: Vec<String>,
}

impl Step {
    /// Failed when there are findings.
    pub(crate) fn judge(title: &'static str, good: impl Into<String>, findings: Vec<String>) -> Self {
        let (state, summary) = if findings.is_empty() {
            (State::Ok, good.into())
        } else {
            (State::Failed, counted(findings.len(), "finding"))
        };
        Self {
            title,
            state,
            summary,
            findings,
        }
    }

    pub(crate) fn skipped(title: &'static str, why: impl Into<String>) -> Self {
        Self {
            title,
            state: State::Skipped,
            summary: why.into(),
            findings: Vec::new(),
        }
    }
}

/// `1 finding`, `2 findings`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// All steps.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it was compared with.
    pub base: Option<String>,
    /// In the order they were done.
    pub steps: Vec<Step>,
}

impl Report {
    /// Whether anything is a reason to stop.
    pub fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.state == State::Failed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.has_failed() { "FAILED" } else { "passed" };
        writeln!(f, "# Schema check: {verdict}\n")?;
        match &self.base {
            Some(base) => writeln!(f, "Compared with `{base}`.\n")?,
            None => writeln!(f, "Compared with nothing: there is no earlier revision here.\n")?,
        }
        writeln!(f, "| | step | | |\n|---|---|---|---|")?;
        for (number, step) in self.steps.iter().enumerate() {
            let (title, state) = (step.title, step.state.name());
            writeln!(f, "| {} | {title} | {state} | {} |", number + 1, step.summary)?;
        }
        for step in self.steps.iter().filter(|step| !step.findings.is_empty()) {
            writeln!(f, "\n## {}\n", step.title)?;
            for finding in &step.findings {
                // What follows the first line belongs to the same item.
                writeln!(f, "- {}", finding.trim_end().replace('\n', "\n  "))?;
            }
        }
        Ok(())
    }
}
