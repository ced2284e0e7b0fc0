//! The recorded operations, asked of the graph without a server: is each valid, and how is it planned?

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::{Valid, WithErrors};
use apollo_federation::query_plan::query_planner::{QueryPlanner, QueryPlannerConfig};

use crate::graph::{Composed, Variant};
use crate::lint;
use crate::operations::{Recorded, Recording};
use crate::plans::{self, Planned};

/// What validation and planning came to.
pub(super) struct Asked {
    pub(super) plans: BTreeMap<String, Planned>,
    pub(super) invalid: Vec<String>,
    pub(super) unplanned: Vec<String>,
    /// Operations without a plan, for reasons that are told.
    pub(super) refused: BTreeSet<String>,
}

pub(super) fn ask(composed: &Composed, recording: &Recording) -> Asked {
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
            Ok(planned) if operation.has_plan => {
                self.plans.insert(title, planned);
            }
            Ok(_) => {}
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

fn told<T>(error: WithErrors<T>) -> String {
    let messages: Vec<String> = error.errors.iter().map(|found| found.error.to_string()).collect();
    messages.join("; ")
}
