//! Query plans of the recorded operations: which subgraphs are asked, in which order, how often. Committed, so that a
//! change of the schema that makes the router ask once more is seen and decided on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::Valid;
use apollo_federation::query_plan::query_planner::{QueryPlanOptions, QueryPlanner};
use apollo_federation::query_plan::{
    FetchDataPathElement, FetchNode, PlanNode, TopLevelPlanNode, requires_selection,
};

use crate::operations::Recorded;

/// Where they are committed.
pub(crate) const FILE: &str = "router/plans.txt";

const HEAD: &str = "\
# How the router answers each recorded operation: the subgraphs it asks, top to bottom; what is indented under
# `parallel` goes out at once. Made by `cargo xtask schema-check --accept`; a longer plan is a slower page.
";

/// One operation's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Requests to subgraphs.
    pub(crate) fetches: usize,
    /// The plan, a line per step.
    pub(crate) text: String,
}

/// Plans an operation that is valid against the planner's API schema.
pub(crate) fn plan(
    planner: &QueryPlanner,
    document: &Valid<ExecutableDocument>,
    operation: &Recorded,
) -> Result<Planned> {
    let name = apollo_compiler::Name::new(&operation.name)?;
    let plan = planner
        .build_query_plan(document, Some(name), QueryPlanOptions::default())
        .map_err(|error| anyhow!("{error}"))?;
    let mut planned = Planned {
        fetches: 0,
        text: String::new(),
    };
    let mut write = Writer(&mut planned);
    match &plan.node {
        None => {}
        Some(TopLevelPlanNode::Subscription(node)) => {
            write.fetch(&node.primary, "", 1);
            if let Some(rest) = &node.rest {
                write.line(1, "for each event");
                write.node(rest, 2);
            }
        }
        Some(TopLevelPlanNode::Fetch(fetch)) => write.fetch(fetch, "", 1),
        Some(TopLevelPlanNode::Sequence(sequence)) => write.nodes(&sequence.nodes, 1),
        Some(TopLevelPlanNode::Parallel(parallel)) => {
            write.line(1, "parallel");
            write.nodes(&parallel.nodes, 2);
        }
        Some(TopLevelPlanNode::Flatten(flatten)) => write.node(&PlanNode::Flatten(flatten.clone()), 1),
        Some(TopLevelPlanNode::Defer(defer)) => write.node(&PlanNode::Defer(defer.clone()), 1),
        Some(TopLevelPlanNode::Condition(condition)) => {
            write.node(&PlanNode::Condition(condition.clone()), 1);
        }
    }
    Ok(planned)
}

struct Writer<'p>(&'p mut Planned);

impl Writer<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0.text, "{}{line}", "  ".repeat(depth));
    }

    fn nodes(&mut self, nodes: &[PlanNode], depth: usize) {
        for node in nodes {
            self.node(node, depth);
        }
    }

    fn node(&mut self, node: &PlanNode, depth: usize) {
        match node {
            PlanNode::Fetch(fetch) => self.fetch(fetch, "", depth),
            PlanNode::Sequence(sequence) => {
                self.line(depth, "in turn");
                self.nodes(&sequence.nodes, depth + 1);
            }
            PlanNode::Parallel(parallel) => {
                self.line(depth, "parallel");
                self.nodes(&parallel.nodes, depth + 1);
            }
            PlanNode::Flatten(flatten) => match &*flatten.node {
                PlanNode::Fetch(fetch) => self.fetch(fetch, &path(&flatten.path), depth),
                other => self.node(other, depth),
            },
            PlanNode::Defer(defer) => {
                self.line(depth, "defer");
                let blocks = defer.deferred.iter().map(|block| &block.node);
                for node in std::iter::once(&defer.primary.node).chain(blocks).flatten() {
                    self.node(node, depth + 1);
                }
            }
            PlanNode::Condition(condition) => {
                self.line(depth, &format!("if ${}", condition.condition_variable));
                for node in [&condition.if_clause, &condition.else_clause]
                    .into_iter()
                    .flatten()
                {
                    self.node(node, depth + 1);
                }
            }
        }
    }

    fn fetch(&mut self, fetch: &FetchNode, path: &str, depth: usize) {
        self.0.fetches += 1;
        let mut line = fetch.subgraph_name.to_string();
        let required: Vec<String> = fetch.requires.iter().map(required).collect();
        if !required.is_empty() {
            let _ = write!(line, ": {}", required.join(" "));
        }
        if !path.is_empty() {
            let _ = write!(line, " at {path}");
        }
        self.line(depth, &line);
    }
}

fn path(path: &[FetchDataPathElement]) -> String {
    let mut text = String::new();
    for element in path {
        match element {
            FetchDataPathElement::Key(name, _) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            FetchDataPathElement::AnyIndex(_) => text.push_str("[]"),
            FetchDataPathElement::TypenameEquals(name) => {
                let _ = write!(text, "|{name}");
            }
            FetchDataPathElement::Parent => text.push_str(".."),
        }
    }
    text
}

/// What a fetch of entities sends along: the key, and what is required besides.
fn required(selection: &requires_selection::Selection) -> String {
    match selection {
        requires_selection::Selection::Field(field) => {
            let inner = selected(&field.selections);
            format!("{}{inner}", field.name)
        }
        requires_selection::Selection::InlineFragment(inline) => {
            let inner = selected(&inline.selections);
            let name = inline.type_condition.as_ref().map(ToString::to_string);
            format!("{}{inner}", name.unwrap_or_default())
        }
    }
}

fn selected(selections: &[requires_selection::Selection]) -> String {
    let names: Vec<String> = selections
        .iter()
        .map(required)
        .filter(|name| name != "__typename")
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(" "))
    }
}

/// `1 fetch`, `2 fetches`.
pub(crate) fn fetches(count: usize) -> String {
    format!("{count} {}", if count == 1 { "fetch" } else { "fetches" })
}

/// All plans as they are committed.
pub(crate) fn text(plans: &BTreeMap<String, Planned>) -> String {
    let mut text = HEAD.to_owned();
    for (title, planned) in plans {
        let _ = write!(text, "\n{title} {}\n{}", planned.fetches, planned.text);
    }
    text
}

/// Reads what [`text`] wrote.
pub(crate) fn parse(text: &str) -> BTreeMap<String, Planned> {
    let mut plans = BTreeMap::new();
    let mut open: Option<String> = None;
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with(' ') {
            let planned = open.as_ref().and_then(|title| plans.get_mut(title));
            if let Some(Planned { text, .. }) = planned {
                text.push_str(line);
                text.push('\n');
            }
        } else if let Some((title, fetches)) = line.rsplit_once(' ') {
            let planned = Planned {
                fetches: fetches.parse().unwrap_or_default(),
                text: String::new(),
            };
            plans.insert(title.to_owned(), planned);
            open = Some(title.to_owned());
        }
    }
    plans
}

/// What differs from the committed plans, a longer plan first.
pub(crate) fn differences(
    committed: &BTreeMap<String, Planned>,
    plans: &BTreeMap<String, Planned>,
) -> Vec<String> {
    let mut longer = Vec::new();
    let mut other = Vec::new();
    for (title, now) in plans {
        match committed.get(title) {
            None => other.push(format!("`{title}` is new: {}", fetches(now.fetches))),
            Some(before) if now.fetches > before.fetches => longer.push(format!(
                "`{title}` takes **{} instead of {}**:\n```\n{}```",
                fetches(now.fetches),
                before.fetches,
                now.text
            )),
            Some(before) if now != before => other.push(format!(
                "`{title}` is planned otherwise ({}, {} before):\n```\n{}```",
                fetches(now.fetches),
                before.fetches,
                now.text
            )),
            Some(_) => {}
        }
    }
    let gone = committed.keys().filter(|title| !plans.contains_key(*title));
    other.extend(gone.map(|title| format!("`{title}` is gone")));
    longer.extend(other);
    longer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_read_as_they_were_written() {
        let planned = |fetches, text: &str| Planned {
            fetches,
            text: text.to_owned(),
        };
        let before = BTreeMap::from([
            ("shop/A".to_owned(), planned(1, "  order\n")),
            (
                "shop/B".to_owned(),
                planned(2, "  order\n  payment: Order(id) at order\n"),
            ),
        ]);
        assert_eq!(parse(&text(&before)), before);
        let now = BTreeMap::from([("shop/A".to_owned(), planned(2, "  order\n  auth\n"))]);
        let differences = differences(&before, &now);
        assert!(
            differences[0].contains("2 fetches instead of 1"),
            "{differences:?}"
        );
        assert!(differences[1].contains("`shop/B` is gone"), "{differences:?}");
    }
}
