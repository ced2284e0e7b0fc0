//! What changed since an earlier revision, in both graphs, and who uses what breaks.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Base, CHANGES};
use crate::diff::{self, Change, Severity};
use crate::graph::{Composed, Variant};
use crate::operations::{Recorded, Recording};
use crate::report::{State, Step};
use crate::tree::Tree;
use crate::{accepted, usage};

pub(super) fn changes(
    tree: &Tree,
    composed: &Composed,
    recording: &Recording,
    base: Option<&Base>,
) -> Result<Step> {
    let Some(base) = base else {
        return Ok(Step::skipped(CHANGES, "there is nothing to compare with"));
    };
    let before = match &base.composed {
        Ok(before) => before,
        Err(error) => {
            let why = format!("{} does not compose: {error}", base.name);
            return Ok(Step::skipped(CHANGES, why));
        }
    };
    let accepted = accepted::read(tree)?;
    let mut counts = [0; 3];
    let mut is_refused = false;
    let mut findings = Vec::new();
    for (change, graphs) in &found(before, composed) {
        counts[change.severity as usize] += 1;
        let mut parts = vec![told(change, graphs)];
        if change.severity == Severity::Breaking {
            let users = users(before, recording, change);
            parts.push(if users.is_empty() {
                "no recorded operation uses it".to_owned()
            } else {
                format!("used by {}", users.join(", "))
            });
            let decided = accepted.iter().find(|accepted| accepted.change == change.name());
            is_refused |= decided.is_none();
            parts.push(decided.map_or_else(
                || format!("**not listed in `{}`**", accepted::FILE),
                |decided| format!("accepted: {}", decided.reason),
            ));
        }
        findings.push(parts.join("; "));
    }
    let state = match (is_refused, counts) {
        (true, _) => State::Failed,
        (false, [0, 0, _]) => State::Ok,
        (false, _) => State::Note,
    };
    let [breaking, dangerous, safe] = counts;
    Ok(Step {
        title: CHANGES,
        state,
        summary: format!("{breaking} breaking, {dangerous} dangerous, {safe} safe"),
        findings,
    })
}

/// Each change with the graphs that show it, the worst first.
fn found(before: &Composed, now: &Composed) -> BTreeMap<Change, Vec<Variant>> {
    let mut found: BTreeMap<Change, Vec<Variant>> = BTreeMap::new();
    for variant in Variant::ALL {
        if let (Ok(old), Ok(new)) = (before.graph(variant), now.graph(variant)) {
            for change in diff::changes(&old.api, &new.api) {
                found.entry(change).or_default().push(variant);
            }
        }
    }
    found
}

fn told(change: &Change, graphs: &[Variant]) -> String {
    let mut line = format!("**{}** `{}`", change.severity.name(), change.name());
    if !change.detail.is_empty() {
        line.push_str(": ");
        line.push_str(&change.detail);
    }
    if let [only] = graphs {
        line = format!("{line} ({} graph only)", only.name());
    }
    line
}

/// Recorded operations that use what changed.
fn users(before: &Composed, recording: &Recording, change: &Change) -> Vec<String> {
    let uses = |operation: &&Recorded| {
        before
            .graph(operation.graph)
            .is_ok_and(|graph| usage::coordinates(&graph.api, &operation.text).contains(change.met_at()))
    };
    let using = recording.operations.iter().filter(uses);
    using
        .map(|operation| format!("`{}`", operation.title()))
        .collect()
}
