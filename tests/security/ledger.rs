//! What was tried and how it was refused: a count per group, and a list of all of it in a file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use crate::answer::Answer;
use crate::world::{Fingerprint, World, root};

/// How many faults of a group are shown in full.
const SHOWN: usize = 12;

#[derive(Clone)]
struct Row {
    group: &'static str,
    case: String,
    outcome: String,
    /// A control shows that what is right works, so that the refusals beside it mean something.
    control: bool,
    good: bool,
}

/// All cases of a run.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Row>>);

impl Ledger {
    fn add(&self, row: Row) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }

    /// One line for each group, and the sums.
    pub(crate) fn summary(&self) -> String {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut groups: Vec<&'static str> = Vec::new();
        for row in rows.iter() {
            if !groups.contains(&row.group) {
                groups.push(row.group);
            }
        }
        let mut text = format!(
            "{:<34}{:>7}{:>9}{:>10}{:>10}\n",
            "group", "cases", "refused", "accepted", "controls"
        );
        let mut line = |name: &str, rows: &[&Row]| {
            let (controls, cases): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.control);
            let refused = cases.iter().filter(|row| row.good).count();
            let accepted = cases.len() - refused;
            let count = cases.len();
            let controls = controls.len();
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "{name:<34}{count:>7}{refused:>9}{accepted:>10}{controls:>10}"
            );
        };
        for group in groups {
            let of_group: Vec<&Row> = rows.iter().filter(|row| row.group == group).collect();
            line(group, &of_group);
        }
        line("all", &rows.iter().collect::<Vec<_>>());
        text
    }

    /// Writes every case with its outcome; answers where.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let mut text = "group\tkind\tcase\toutcome\tas wanted\n".to_owned();
        for row in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let kind = if row.control { "control" } else { "case" };
            writeln!(
                text,
                "{}\t{kind}\t{}\t{}\t{}",
                row.group, row.case, row.outcome, row.good
            )?;
        }
        let folder = root().join("target");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("security-cases.tsv");
        std::fs::write(&file, text)?;
        Ok(file)
    }
}

/// Cases that belong together. Between its begin and end nothing may change in any store.
pub(crate) struct Group<'w> {
    name: &'static str,
    world: &'w World,
    before: Option<Fingerprint>,
    faults: Mutex<Vec<String>>,
    cases: Mutex<usize>,
}

impl<'w> Group<'w> {
    /// A group whose cases must leave all stores as they are.
    pub(crate) async fn begin(world: &'w World, name: &'static str) -> Result<Self> {
        let before = Some(world.fingerprint_at_rest().await?);
        Ok(Self::with(world, name, before))
    }

    /// A group whose controls change something: what must not change, its cases look at themselves.
    pub(crate) fn of_changes(world: &'w World, name: &'static str) -> Self {
        Self::with(world, name, None)
    }

    fn with(world: &'w World, name: &'static str, before: Option<Fingerprint>) -> Self {
        Self {
            name,
            world,
            before,
            faults: Mutex::default(),
            cases: Mutex::default(),
        }
    }

    /// Notes a case that must have been refused in one of the `wanted` ways.
    pub(crate) fn refused(&self, case: impl Into<String>, answer: &Answer, wanted: &[&str]) {
        let good = wanted.contains(&answer.outcome.as_str());
        self.note(
            case.into(),
            &answer.outcome,
            &answer.body,
            false,
            good,
            &format!("{wanted:?}"),
        );
    }

    /// Notes a case that was judged elsewhere: `good` says that it was refused, `outcome` how.
    pub(crate) fn judged(&self, case: impl Into<String>, good: bool, outcome: impl Into<String>) {
        let outcome = outcome.into();
        self.note(case.into(), &outcome, "", false, good, "a refusal");
    }

    /// Notes something that must work.
    pub(crate) fn control(&self, case: impl Into<String>, good: bool, outcome: impl Into<String>) {
        let outcome = outcome.into();
        self.note(case.into(), &outcome, "", true, good, "that it works");
    }

    /// The same of an answer that must hold data.
    pub(crate) fn works(&self, case: impl Into<String>, answer: &Answer) {
        let good = answer.outcome == "200 data";
        self.note(case.into(), &answer.outcome, &answer.body, true, good, "200 data");
    }

    fn note(&self, case: String, outcome: &str, body: &str, control: bool, good: bool, wanted: &str) {
        *self.cases.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if !good {
            let body: String = body.chars().take(300).collect();
            self.faults
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(format!("{case}: {outcome}, wanted {wanted} {body}"));
        }
        self.world.ledger.add(Row {
            group: self.name,
            case,
            outcome: outcome.to_owned(),
            control,
            good,
        });
    }

    /// The group's verdict.
    pub(crate) async fn end(self) -> Result<()> {
        if let Some(before) = &self.before {
            let changed = before.differences(&self.world.fingerprint_at_rest().await?);
            self.control(
                "nothing changed in any store",
                changed.is_empty(),
                changed.join(", "),
            );
        }
        let cases = *self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let faults = self.faults.into_inner().unwrap_or_else(PoisonError::into_inner);
        if cases == 0 {
            bail!("no case ran");
        }
        if !faults.is_empty() {
            let shown = faults[..faults.len().min(SHOWN)].join("\n  ");
            bail!("{} of {cases} went wrong:\n  {shown}", faults.len());
        }
        Ok(())
    }
}
