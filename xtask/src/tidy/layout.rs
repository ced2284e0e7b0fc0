//! Sizes, names and the files every subgraph has.

use std::collections::BTreeMap;

use super::tree::Tree;

const MAX_LINES: usize = 500;
const MAX_MAIN_LINES: usize = 50;
const MAX_README_LINES: usize = 40;
const ALLOW_FILE: &str = "xtask/tidy-allow.txt";
const VAGUE: [&str; 5] = ["common", "shared", "core", "utils", "helpers"];

pub(super) fn file_sizes(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let mut allowed: BTreeMap<&str, bool> = BTreeMap::new();
    let entries = tree.get(ALLOW_FILE).map_or("", |file| file.text.as_str());
    for entry in entries
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match entry.split_once(' ') {
            Some((path, reason)) if !reason.trim().is_empty() => {
                allowed.insert(path, false);
            }
            _ => {
                allowed.insert(entry, false);
                violations.push(format!("{ALLOW_FILE}: {entry} is allowed without a reason"));
            }
        }
    }
    for file in tree.rust() {
        let lines = file.text.lines().count();
        let path = file.path.to_string_lossy();
        if lines > MAX_LINES {
            match allowed.get_mut(path.as_ref()) {
                Some(used) => *used = true,
                None => violations.push(format!(
                    "{path}: {lines} lines; split it, or give a reason in {ALLOW_FILE}"
                )),
            }
        } else if file.name() == "main.rs"
            && path.starts_with("subgraphs/")
            && path.contains("/src/")
            && lines > MAX_MAIN_LINES
        {
            violations.push(format!("{path}: {lines} lines; a service's main only hands over"));
        }
    }
    let unused = allowed.iter().filter(|(_, used)| !**used);
    violations.extend(unused.map(|(path, _)| format!("{ALLOW_FILE}: {path} is not needed")));
    violations
}

pub(super) fn module_names(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        let stem = file.path.with_extension("");
        let vague = stem
            .components()
            .filter_map(|part| part.as_os_str().to_str())
            .find(|part| VAGUE.contains(part));
        if let Some(name) = vague {
            violations.push(format!(
                "{}: {name} says nothing; name the noun",
                file.path.display()
            ));
        }
    }
    violations
}

pub(super) fn readmes(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in tree.files.iter().filter(|file| file.name() == "Cargo.toml") {
        let Some(folder) = file
            .path
            .parent()
            .filter(|folder| folder.starts_with("subgraphs"))
        else {
            continue;
        };
        let path = folder.join("README.md");
        match tree
            .get(&path.to_string_lossy())
            .map(|readme| readme.text.lines().count())
        {
            None => violations.push(format!("{}: no README.md", folder.display())),
            Some(lines) if lines > MAX_README_LINES => {
                violations.push(format!(
                    "{}: {lines} lines, {MAX_README_LINES} are enough",
                    path.display()
                ));
            }
            Some(_) => {}
        }
    }
    violations
}
