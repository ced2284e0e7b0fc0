//! The nine steps of the schema check. Judges a checkout against an earlier one; changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::Valid;
use apollo_federation::query_plan::query_planner::{QueryPlanner, QueryPlannerConfig};

use crate::diff::{self, Change, Severity};
use crate::graph::{self, Composed, Variant};
use crate::operations::{self, Recorded, Recording};
use crate::plans::{self, Planned};
use crate::report::{Report, State, Step, counted};
use crate::tree::Tree;
use crate::{accepted, contract, licence, lint, manifest, usage};

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

fn changes(tree: &Tree, composed: &Composed, recording: &Recording, base: Option<&Base>) -> Result<Step> {
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
    let mut found: BTreeMap<Change, Vec<Variant>> = BTreeMap::new();
    for variant in Variant::ALL {
        if let (Ok(old), Ok(new)) = (before.graph(variant), composed.graph(variant)) {
            for change in diff::changes(&old.api, &new.api) {
                found.entry(change).or_default().push(variant);
            }
        }
    }
    let mut counts = [0; 3];
    let mut is_refused = false;
    let mut findings = Vec::new();
    for (change, variants) in &found {
        counts[change.severity as usize] += 1;
        let mut line = format!("**{}** `{}`", change.severity.name(), change.name());
        if !change.detail.is_empty() {
            line += &format!(": {}", change.detail);
        }
        if let [only] = variants.as_slice() {
            line += &format!(" ({} graph only)", only.name());
        }
        if change.severity == Severity::Breaking {
            let users = users(before, recording, change);
            line += &if users.is_empty() {
                "; no recorded operation uses it".to_owned()
            } else {
                format!("; used by {}", users.join(", "))
            };
            match accepted.iter().find(|accepted| accepted.change == change.name()) {
                Some(accepted) => line += &format!("; accepted: {}", accepted.reason),
                None => {
                    is_refused = true;
                    line += &format!("; **not listed in `{}`**", accepted::FILE);
                }
            }
        }
        findings.push(line);
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

/// What validation and planning came to.
struct Asked {
    plans: BTreeMap<String, Planned>,
    invalid: Vec<String>,
    unplanned: Vec<String>,
    /// Operations without a plan, for reasons that are told.
    refused: BTreeSet<String>,
}

fn ask(composed: &Composed, recording: &Recording) -> Asked {
    let mut asked = Asked {
        plans: BTreeMap::new(),
        invalid: recording.problems.clone(),
        unplanned: Vec::new(),
        refused: BTreeSet::new(),
    };
    for variant in Variant::ALL {
        let planner = composed.graph(variant).and_then(|graph| {
            QueryPlanner::new(&graph.parsed()?, QueryPlannerConfig::default())
                .map_err(|error| anyhow::anyhow!("{error}"))
        });
        let of_variant = |operation: &&Recorded| operation.graph == variant;
        let operations = recording.operations.iter().filter(of_variant);
        match planner {
            Ok(planner) => operations.for_each(|operation| asked.ask(composed, &planner, operation)),
            Err(error) => {
                let why = format!("the {} graph can't be planned: {error:#}", variant.name());
                asked.unplanned.push(why);
                asked.refused.extend(operations.map(Recorded::title));
            }
        }
    }
    asked
}

impl Asked {
    fn ask(&mut self, composed: &Composed, planner: &QueryPlanner, operation: &Recorded) {
        let title = operation.title();
        let document = match validated(composed, planner, operation) {
            Ok(document) => document,
            Err(error) => {
                let (file, graph) = (&operation.file, operation.graph.name());
                self.invalid.push(format!(
                    "`{title}` in {file} is refused by the {graph} graph: {error}"
                ));
                self.refused.insert(title);
                return;
            }
        };
        match plans::plan(planner, &document, operation) {
            Ok(planned) => {
                self.plans.insert(title, planned);
            }
            Err(error) => {
                self.unplanned
                    .push(format!("`{title}` can't be planned: {error:#}"));
                self.refused.insert(title);
            }
        }
    }
}

/// Against the API schema, and a subscription also against its subgraph's own: it goes there without the router.
fn validated(
    composed: &Composed,
    planner: &QueryPlanner,
    operation: &Recorded,
) -> Result<Valid<ExecutableDocument>, String> {
    let api = planner.api_schema().schema();
    let document =
        ExecutableDocument::parse_and_validate(api, &operation.text, &operation.file).map_err(told)?;
    let subscription = document.operations.iter().find(|found| found.is_subscription());
    if let Some(subscription) = subscription {
        let roots: Vec<_> = subscription.root_fields(&document).collect();
        let has = |sdl: &&String| {
            let schema = lint::subgraph(sdl);
            let object = schema.get_object("Subscription");
            object.is_some_and(|object| roots.iter().all(|root| object.fields.contains_key(&root.name)))
        };
        let Some(sdl) = composed.sdls.values().find(has) else {
            return Err("no subgraph has all of this subscription".to_owned());
        };
        // The directives of federation are not defined there, and not what is asked.
        let own = Valid::assume_valid(lint::subgraph(sdl));
        ExecutableDocument::parse_and_validate(&own, &operation.text, &operation.file)
            .map_err(|error| format!("by the subgraph that serves it: {}", told(error)))?;
    }
    Ok(document)
}

fn told<T>(error: apollo_compiler::validation::WithErrors<T>) -> String {
    let messages: Vec<String> = error.errors.iter().map(|found| found.error.to_string()).collect();
    messages.join("; ")
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
        counted(fetches, "fetch").replace("fetchs", "fetches"),
        asked.plans.len()
    );
    let mut step = Step::judge(PLANS, good, findings);
    // What was accepted in this very change is said all the same.
    if let Some(base) = base.filter(|_| step.state == State::Ok) {
        let before = plans::parse(&base.tree.read_if_any(plans::FILE));
        let longer = asked.plans.iter().filter_map(|(title, now)| {
            let then = before.get(title)?;
            (now.fetches > then.fetches).then(|| {
                format!(
                    "`{title}`: {} fetches, {} before; accepted",
                    now.fetches, then.fetches
                )
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
