//! Who may depend on whom. Development dependencies are free, for tests reach everywhere.

use std::collections::BTreeMap;

use super::tree::{File, Tree};

const KITS: &[&str] = &[
    "contracts",
    "service-kit",
    "pg-kit",
    "service-auth",
    "redis-kit",
    "rate-limit",
    "graphql-kit",
    "event-bus",
];

/// Each crate of the house, and which others it may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("contracts", &[]),
    ("roster", &[]),
    ("service-kit", &["contracts"]),
    ("pg-kit", &["contracts", "service-kit"]),
    ("service-auth", &["contracts", "service-kit"]),
    ("redis-kit", &[]),
    ("rate-limit", &["service-kit", "redis-kit"]),
    (
        "graphql-kit",
        &["contracts", "service-kit", "pg-kit", "service-auth", "rate-limit"],
    ),
    (
        "event-bus",
        &["contracts", "service-kit", "pg-kit", "service-auth"],
    ),
    ("psp-sandbox", &["service-kit"]),
    ("mail-sandbox", &["service-kit"]),
    ("shopper", &["contracts"]),
    ("auditor", &["contracts", "service-kit", "roster"]),
    ("timekeeper", &["shopper"]),
    ("operator", &["contracts", "service-kit", "event-bus", "shopper"]),
    ("dev-stack", &["roster"]),
    ("edge", &["service-kit", "service-auth", "dev-stack", "roster"]),
    (
        "test-kit",
        &[
            "contracts",
            "service-kit",
            "pg-kit",
            "service-auth",
            "graphql-kit",
            "event-bus",
            "dev-stack",
            "roster",
        ],
    ),
    ("xtask", &["dev-stack", "roster"]),
    ("composer", &[]),
    (
        "tests",
        &["contracts", "dev-stack", "roster", "shopper", "auditor"],
    ),
    ("deploy", &["dev-stack", "roster"]),
    (
        "fuzz",
        &[
            "contracts",
            "service-kit",
            "service-auth",
            "graphql-kit",
            "event-bus",
            "shopper",
            "payment",
            "product",
        ],
    ),
    (
        "faults",
        &[
            "contracts",
            "dev-stack",
            "roster",
            "auditor",
            "service-kit",
            "service-auth",
        ],
    ),
];

pub(super) fn dependencies(tree: &Tree) -> Vec<String> {
    let manifests: BTreeMap<&str, &File> = tree
        .files
        .iter()
        .filter(|file| file.name() == "Cargo.toml" && file.path.components().count() > 1)
        .filter_map(|file| Some((file.path.parent()?.file_name()?.to_str()?, file)))
        .collect();
    let is_ours = |name: &str| manifests.contains_key(name) || ALLOWED.iter().any(|(ours, _)| *ours == name);
    let mut violations = Vec::new();
    for (name, manifest) in &manifests {
        let allowed = allowed(name, manifest);
        for dependency in listed(&manifest.text) {
            if is_ours(dependency) && !allowed.contains(&dependency) {
                violations.push(format!(
                    "{}: {name} may not depend on {dependency}",
                    manifest.path.display()
                ));
            }
        }
    }
    violations
}

fn allowed(name: &str, manifest: &File) -> &'static [&'static str] {
    if super::is_under(&manifest.path, "subgraphs") {
        return KITS;
    }
    ALLOWED
        .iter()
        .find(|(ours, _)| *ours == name)
        .map_or(&[], |(_, allowed)| allowed)
}

/// Names under `[dependencies]`, `[build-dependencies]` and their per-target forms.
fn listed(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section.ends_with("dependencies") && !section.ends_with("dev-dependencies");
            return None;
        }
        let name = line.split(['.', '=', ' ']).next()?;
        (inside && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}
