//! The part of rover's `supergraph.yaml` that composition needs.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::tree::Tree;

/// Where it lies.
const FILE: &str = "supergraph.yaml";

/// The whole file; `federation_version` is rover's business.
#[derive(Debug, Deserialize)]
pub(crate) struct SupergraphConfig {
    pub(crate) subgraphs: BTreeMap<String, SubgraphEntry>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SubgraphEntry {
    pub(crate) routing_url: String,
    pub(crate) schema: SchemaSource,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SchemaSource {
    file: String,
}

impl SchemaSource {
    /// Relative to the checkout.
    pub(crate) fn path(&self) -> &str {
        self.file.trim_start_matches("./")
    }
}

impl SupergraphConfig {
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let text = tree.read(FILE)?;
        serde_saphyr::from_str(&text).with_context(|| format!("{FILE} is not a supergraph configuration"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_committed_file() {
        let tree = Tree::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let config = SupergraphConfig::read(&tree).unwrap();
        assert!(config.subgraphs.contains_key("order"));
        for (name, entry) in &config.subgraphs {
            assert_eq!(entry.schema.path(), format!("subgraphs/{name}/schema.graphql"));
            assert!(entry.routing_url.ends_with("/graphql"));
        }
    }
}
