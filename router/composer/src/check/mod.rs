//! The nine steps of the schema check. Judges a checkout against an earlier one; changes nothing.

mod asked;
mod changes;

use anyhow::Result;

use self::asked::{Asked, ask};
use self::changes::changes;
use crate::graph::{self, Composed};
use crate::operations::{self, Recording};
use crate::plans;
use crate::report::{Report, State, Step, counted};
use crate::tree::Tree;
use crate::{contract, licence, lint, manifest};

/// An earlier revision.
#[derive(Debug)]
pub struct Base {
    name: String,
    tree: Tree,
    composed: Result<Composed, String>,
}

impl Base {
    /// Composes it as it was then, with the composer of now.
    pub fn new(name: impl Into<String>, tree: Tree) -> Self {
        Self {
            name: name.into(),
            composed: graph::composed(&tree).map_err(|error| format!("{error:#}").replace('\n', "; ")),
            tree,
        }
    }
}

/// What is checked, besides the files.
#[derive(Debug, Default)]
pub struct Options {
    /// Subgraphs whose committed SDL is not what their program says; found by who can run them.
    pub stale_sdls: Vec<String>,
}

/// The files that the check judges by and that are made from the rest: plans and manifests.
pub fn generated(tree: &Tree) -> Result<Vec<(String, String)>> {
    let composed = graph::composed(tree)?;
    let recording = operations::read(tree)?;
    let asked = ask(&composed, &recording);
    let mut files = vec![(plans::FILE.to_owned(), plans::text(&asked.plans))];
    files.extend(manifest::files(&recording));
    Ok(files)
}

/// All nine steps.
pub fn run(tree: &Tree, base: Option<&Base>, options: &Options) -> Result<Report> {
    let mut report = Report {
        base: base.map(|base| base.name.clone()),
        steps: Vec::new(),
    };
    let recording = operations::read(tree)?;
    match graph::composed(tree) {
        Ok(composed) => {
            let asked = ask(&composed, &recording);
            report.steps = vec![
                freshness(tree, &composed, &recording, options),
                composition(&composed),
                licences(tree, &composed)?,
                changes(tree, &composed, &recording, base)?,
                documents(&recording, &asked),
                planned(tree, base, &asked),
                rules(&composed),
                public(&composed),
            ];
        }
        Err(error) => {
            let findings = format!("{error:#}").lines().map(str::to_owned).collect();
            let stale = options.stale_sdls.iter().map(|name| stale(name)).collect();
            report.steps = vec![
                Step::judge(FRESHNESS, "the SDLs are as committed", stale),
                Step::judge(COMPOSITION, "", findings),
            ];
            for title in [LICENCE, CHANGES, OPERATIONS, PLANS, RULES, CONTRACT] {
                report.steps.push(Step::skipped(title, "there is no graph"));
            }
        }
    }
    Ok(report)
}

const FRESHNESS: &str = "committed files";
const COMPOSITION: &str = "composition";
const LICENCE: &str = "runs without a licence";
const CHANGES: &str = "changes";
const OPERATIONS: &str = "recorded operations";
const PLANS: &str = "query plans";
const RULES: &str = "house rules";
const CONTRACT: &str = "public contract";

fn stale(subgraph: &str) -> String {
    format!("`subgraphs/{subgraph}/schema.graphql` is stale: run `cargo xtask sdl`")
}

fn freshness(tree: &Tree, composed: &Composed, recording: &Recording, options: &Options) -> Step {
    let mut findings: Vec<String> = options.stale_sdls.iter().map(|name| stale(name)).collect();
    for (file, text) in composed.files().unwrap_or_default() {
        if tree.read_if_any(file) != text {
            findings.push(format!("`{file}` is stale: run `cargo xtask compose`"));
        }
    }
    let manifests = manifest::files(recording);
    for (file, text) in &manifests {
        if tree.read_if_any(file) != *text {
            findings.push(format!(
                "`{file}` is stale: run `cargo xtask schema-check --accept`"
            ));
        }
    }
    for file in tree.matching("router/persisted/*.json") {
        if !manifests.iter().any(|(name, _)| *name == file) {
            findings.push(format!("`{file}` belongs to no client of `{}`", operations::FILE));
        }
    }
    Step::judge(
        FRESHNESS,
        "SDLs, supergraphs, API schemas and manifests are up to date",
        findings,
    )
}

fn composition(composed: &Composed) -> Step {
    let count = composed.sdls.len();
    let summary = format!("{count} subgraphs, {}", counted(composed.hints.len(), "hint"));
    Step {
        title: COMPOSITION,
        state: if composed.hints.is_empty() {
            State::Ok
        } else {
            State::Note
        },
        summary,
        findings: composed.hints.clone(),
    }
}

fn licences(tree: &Tree, composed: &Composed) -> Result<Step> {
    let mut findings = Vec::new();
    for path in licence::in_configuration(&tree.read("router/router.yaml")?)? {
        findings.push(format!(
            "`router/router.yaml` sets `{path}`: the router refuses to start"
        ));
    }
    for link in licence::in_supergraph(&composed.admin.supergraph) {
        findings.push(format!(
            "the supergraph links to `@{link}`: the router refuses to start"
        ));
    }
    Ok(Step::judge(
        LICENCE,
        "an Apollo Router without a licence starts on it",
        findings,
    ))
}

fn documents(recording: &Recording, asked: &Asked) -> Step {
    let good = format!(
        "{} of {} are valid",
        counted(recording.operations.len(), "operation"),
        counted(recording.clients.len(), "client")
    );
    Step::judge(OPERATIONS, good, asked.invalid.clone())
}

fn planned(tree: &Tree, base: Option<&Base>, asked: &Asked) -> Step {
    let mut committed = plans::parse(&tree.read_if_any(plans::FILE));
    committed.retain(|title, _| !asked.refused.contains(title));
    let differences = plans::differences(&committed, &asked.plans);
    let mut findings = asked.unplanned.clone();
    if !differences.is_empty() {
        findings.extend(differences);
        findings.push("when that is right: `cargo xtask schema-check --accept`, and commit it".to_owned());
    }
    let fetches: usize = asked.plans.values().map(|planned| planned.fetches).sum();
    let good = format!(
        "{} in {} plans, as committed",
        plans::fetches(fetches),
        asked.plans.len()
    );
    let mut step = Step::judge(PLANS, good, findings);
    // What was accepted in this very change is said all the same.
    if let Some(base) = base.filter(|_| step.state == State::Ok) {
        let before = plans::parse(&base.tree.read_if_any(plans::FILE));
        let longer = asked.plans.iter().filter_map(|(title, now)| {
            let then = before.get(title)?;
            (now.fetches > then.fetches).then(|| {
                let now = plans::fetches(now.fetches);
                format!("`{title}`: {now}, {} before; accepted", then.fetches)
            })
        });
        step.findings = longer.collect();
        if !step.findings.is_empty() {
            step.state = State::Note;
        }
    }
    step
}

fn rules(composed: &Composed) -> Step {
    let findings = lint::findings(&composed.sdls, &composed.admin.api);
    Step::judge(
        RULES,
        "names, descriptions, deprecations and shapes are right",
        findings,
    )
}

fn public(composed: &Composed) -> Step {
    let mut findings = Vec::new();
    match &composed.public {
        Err(error) => findings.extend(format!("{error:#}").lines().map(str::to_owned)),
        Ok(public) => {
            let tagged = contract::tagged(&composed.admin.supergraph);
            let seen = |coordinate: &&String| graph::has(&public.api, coordinate);
            findings.extend(
                tagged
                    .iter()
                    .filter(seen)
                    .map(|at| format!("`{at}` is tagged `{}` and public", contract::TAG)),
            );
        }
    }
    let count = composed
        .public
        .as_ref()
        .map_or(0, |public| public.api.types.len());
    Step::judge(
        CONTRACT,
        format!("composes; {count} types, nothing of them internal"),
        findings,
    )
}
