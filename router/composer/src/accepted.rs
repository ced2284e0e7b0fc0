//! Breaking changes that people decided on, each with its reason, in a file that is reviewed with them.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::tree::Tree;

/// Where they are listed.
pub(crate) const FILE: &str = "router/accepted-changes.yaml";

#[derive(Debug, Default, Deserialize)]
struct List {
    #[serde(default)]
    accepted: Vec<Accepted>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Accepted {
    /// As the report names it: `FIELD_REMOVED Product.brand`.
    pub(crate) change: String,
    /// Why it is right all the same.
    pub(crate) reason: String,
}

pub(crate) fn read(tree: &Tree) -> Result<Vec<Accepted>> {
    let text = tree.read_if_any(FILE);
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let list: List = serde_saphyr::from_str(&text).with_context(|| format!("{FILE} can't be read"))?;
    for accepted in &list.accepted {
        ensure!(
            accepted.reason.trim().len() >= 10,
            "{FILE}: {} has no reason to speak of",
            accepted.change
        );
    }
    Ok(list.accepted)
}
