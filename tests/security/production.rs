//! Production mode tells strangers nothing about the graph but what they ask for rightly.

use anyhow::Result;
use serde_json::json;

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::limits::leaks_nothing;
use crate::world::{GATEWAY_KEY, World};

pub(crate) const CASES: &[Case] = &[("production: no introspection, suggestions or GraphiQL", closed)];

fn closed(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "production").await?;
        let admin = world.people.admin.token.as_str();
        for door in Door::all().into_iter().filter(|door| *door != Door::Socket) {
            for (name, query) in [
                ("__schema", "{ __schema { types { name } } }"),
                ("__type", "{ __type(name: \"Query\") { fields { name } } }"),
                (
                    "__schema by another name",
                    "{ a: __schema { queryType { name } } }",
                ),
                (
                    "__schema in a fragment",
                    "{ ...A } fragment A on Query { __schema { types { name } } }",
                ),
                (
                    "__schema in an inline fragment",
                    "{ ... on Query { ... { __schema { types { name } } } } }",
                ),
                (
                    "__schema under a directive",
                    "query ($yes: Boolean = true) { __schema @include(if: $yes) { types { name } } }",
                ),
            ] {
                for (who, token) in [("nobody", None), ("an administrator", Some(admin))] {
                    let answer = world.ask(door, token, query, json!({})).await?;
                    let refused = if door.is_router() {
                        answer.outcome == "200 INTROSPECTION_DISABLED"
                    } else {
                        answer.outcome == "403 FORBIDDEN"
                    };
                    group.judged(
                        format!("{}: {name} by {who}", door.name()),
                        refused,
                        answer.outcome,
                    );
                }
            }
            let near = if door.is_router() {
                "{ produts { nodes { id } } }"
            } else {
                "{ _servic { sdl } }"
            };
            for query in [near, "{ __typenam }", "query { _entitie { id } }"] {
                let answer = world.ask(door, None, query, json!({})).await?;
                let helpful = answer.body.contains("Did you mean") || answer.body.contains("did you mean");
                group.judged(
                    format!("{}: no suggestion for {query}", door.name()),
                    !helpful,
                    answer.outcome.clone(),
                );
                leaks_nothing(&group, query, &answer);
            }
            let url = world.graphql_url(door)?;
            for path in [
                "",
                "/..",
                "/../playground",
                "/../graphiql",
                "/../sandbox",
                "/../voyager",
            ] {
                let url = format!("{url}{path}").replace("/graphql/..", "");
                let page = world
                    .http
                    .get(&url)
                    .header("x-gateway-key", GATEWAY_KEY)
                    .header("accept", "text/html");
                let answer = Answer::read(page.send().await?).await?;
                let silent = !answer.body.to_lowercase().contains("<html");
                let refused = answer.outcome.starts_with('4') && silent;
                group.judged(
                    format!("{}: no page at {path:?}", door.name()),
                    refused,
                    answer.outcome,
                );
            }
        }
        group.end().await
    })
}
