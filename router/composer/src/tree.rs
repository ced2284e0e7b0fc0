//! The files of a checkout that the graph is made of, with changes that exist in memory alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// A checkout. What was put into it hides the file of that name.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
    changed: BTreeMap<String, String>,
}

impl Tree {
    /// The checkout in a folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            changed: BTreeMap::new(),
        }
    }

    /// A file's text; paths are relative to the checkout.
    pub fn read(&self, path: &str) -> Result<String> {
        if let Some(text) = self.changed.get(path) {
            return Ok(text.clone());
        }
        fs::read_to_string(self.root.join(path)).with_context(|| format!("reading {path}"))
    }

    /// A file's text; nothing when there is no such file.
    pub fn read_if_any(&self, path: &str) -> String {
        self.read(path).unwrap_or_default()
    }

    /// Changes a file here, not on the disk.
    pub fn put(&mut self, path: &str, text: impl Into<String>) {
        self.changed.insert(path.to_owned(), text.into());
    }

    /// Writes a file to the disk.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let file = self.root.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        fs::write(&file, text).with_context(|| format!("writing {path}"))
    }

    /// Removes a file from the disk.
    pub fn remove(&self, path: &str) -> Result<()> {
        fs::remove_file(self.root.join(path)).with_context(|| format!("removing {path}"))
    }

    /// Names of the files that a pattern such as `folder/*.graphql` means, sorted; `*` stands for a whole file name
    /// without its extension.
    pub fn matching(&self, pattern: &str) -> Vec<String> {
        let Some((folder, extension)) = pattern.split_once("/*.") else {
            return vec![pattern.to_owned()];
        };
        let wanted = |name: &str| name.rsplit_once('.').is_some_and(|(_, found)| found == extension);
        let on_disk = fs::read_dir(self.root.join(folder)).into_iter().flatten();
        let mut found: BTreeSet<String> = on_disk
            .flatten()
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| wanted(name))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        found.extend(
            self.changed
                .keys()
                .filter(|path| {
                    path.strip_prefix(folder)
                        .and_then(|rest| rest.strip_prefix('/'))
                        .is_some_and(|name| !name.contains('/') && wanted(name))
                })
                .cloned(),
        );
        found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_hides_the_file_and_is_found_by_pattern() {
        let mut tree = Tree::new(env!("CARGO_MANIFEST_DIR"));
        assert!(tree.read("Cargo.toml").unwrap().contains("composer"));
        tree.put("Cargo.toml", "changed");
        tree.put("src/new.rs", "");
        assert_eq!(tree.read("Cargo.toml").unwrap(), "changed");
        let sources = tree.matching("src/*.rs");
        assert!(sources.contains(&"src/new.rs".to_owned()));
        assert!(sources.contains(&"src/tree.rs".to_owned()));
        assert_eq!(tree.matching("README.md"), ["README.md"]);
        assert!(tree.matching("nowhere/*.rs").is_empty());
    }
}
