//! What an Apollo Router without a licence refuses to start on: parts of its configuration, and links of the supergraph.

use anyhow::{Context, Result};
use apollo_compiler::ast::{Definition, Document};
use serde_json::Value;

/// Paths in `router.yaml`, and whether they may be there as long as they are not `true`.
const CONFIGURATION: [(&str, bool); 15] = [
    ("authentication.router", false),
    ("authorization.directives", false),
    ("batching", false),
    ("persisted_queries", false),
    ("coprocessor", false),
    ("demand_control", false),
    ("apq.router.cache.redis", false),
    ("supergraph.query_planning.cache.redis", false),
    ("limits.router.max_depth", false),
    ("limits.router.max_height", false),
    ("limits.router.max_root_fields", false),
    ("limits.router.max_aliases", false),
    ("subscription.enabled", true),
    ("response_cache.enabled", true),
    ("preview_entity_cache.enabled", true),
];

/// Specifications a supergraph may not link to; each version is taken for restricted.
const LINKS: [&str; 2] = ["authenticated", "requiresScopes"];

/// Restricted paths that a router configuration has.
pub(crate) fn in_configuration(yaml: &str) -> Result<Vec<String>> {
    let value: Value = serde_saphyr::from_str(yaml).context("the router's configuration is not YAML")?;
    let found = CONFIGURATION.iter().filter(|(path, only_when_true)| {
        let mut place = Some(&value);
        for part in path.split('.') {
            place = place.and_then(|value| value.get(part));
        }
        place.is_some_and(|value| !only_when_true || *value == Value::Bool(true))
    });
    Ok(found.map(|(path, _)| (*path).to_owned()).collect())
}

/// Restricted specifications that a supergraph links to.
pub(crate) fn in_supergraph(supergraph: &str) -> Vec<String> {
    let document = Document::parse(supergraph, "supergraph.graphql").unwrap_or_else(|error| error.partial);
    let schema = document
        .definitions
        .iter()
        .find(|definition| matches!(definition, Definition::SchemaDefinition(_)));
    let Some(schema) = schema else {
        return Vec::new();
    };
    let links: Vec<String> = schema.directives().iter().map(ToString::to_string).collect();
    let is_linked = |name: &&&str| {
        let url = format!("https://specs.apollo.dev/{name}/");
        links.iter().any(|link| link.contains(&url))
    };
    LINKS
        .iter()
        .filter(is_linked)
        .map(|name| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_needs_a_licence() {
        let yaml = "subscription: { enabled: false }\nlimits: { router: { max_depth: 3, parser_max_tokens: 9 } }\n\
            batching: { enabled: false }\nresponse_cache: { enabled: true }";
        let found = in_configuration(yaml).unwrap();
        assert_eq!(
            found,
            ["batching", "limits.router.max_depth", "response_cache.enabled"]
        );
        let linked = r#"schema @link(url: "https://specs.apollo.dev/join/v0.3")
            @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY) { query: Query }"#;
        assert_eq!(in_supergraph(linked), ["requiresScopes"]);
        assert!(in_supergraph("schema { query: Query }").is_empty());
    }
}
