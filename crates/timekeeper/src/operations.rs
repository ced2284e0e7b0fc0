//! The recorded operations, from the manifests of the clients that send them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::door::Question;

#[derive(Deserialize)]
struct Manifest {
    operations: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    name: String,
    body: String,
}

/// Operations by name.
pub struct Recordings(Vec<Recorded>);

impl Recordings {
    /// Reads `shop.json` and our own from the folder of manifests.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut all = Vec::new();
        for name in ["shop.json", "timekeeper.json"] {
            let file: PathBuf = folder.join(name);
            let text = std::fs::read(&file).with_context(|| file.display().to_string())?;
            let manifest: Manifest =
                serde_json::from_slice(&text).with_context(|| file.display().to_string())?;
            all.extend(manifest.operations);
        }
        Ok(Self(all))
    }

    /// The operation called `name`, asked with `variables`.
    pub fn question(&self, name: &str, variables: Value) -> Result<Question> {
        let recorded = self.0.iter().find(|recorded| recorded.name == name);
        let recorded = recorded.with_context(|| format!("no recorded operation is called {name}"))?;
        Ok(Question {
            operation_name: recorded.name.clone(),
            query: recorded.body.clone(),
            variables,
        })
    }
}
