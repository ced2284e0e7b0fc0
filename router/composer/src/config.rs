//! The part of rover's `supergraph.yaml` that composition needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

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
    pub(crate) file: PathBuf,
}

impl SupergraphConfig {
    /// Reads the file; paths in it are relative to its folder.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        serde_saphyr::from_str(&text)
            .with_context(|| format!("{} is not a supergraph configuration", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_committed_file() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../supergraph.yaml");
        let config = SupergraphConfig::read(&path).unwrap();
        assert!(config.subgraphs.contains_key("order"));
        for (name, entry) in &config.subgraphs {
            assert!(
                entry
                    .schema
                    .file
                    .ends_with(format!("subgraphs/{name}/schema.graphql"))
            );
            assert!(entry.routing_url.ends_with("/graphql"));
        }
    }
}
