//! `cargo xtask manifests`: every file that lists services, written from each `service.toml`. Some files are written
//! whole; in others only what stands between `# roster: KIND` and `# roster: end`.

mod blocks;
mod board;
mod chart;
mod cluster;
mod events;
mod service;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if anything is not as it would be written.
    #[arg(long)]
    check: bool,
}

/// Files in which lists stand between marks.
const WITH_BLOCKS: [&str; 27] = [
    ".github/workflows/ci.yml",
    "compose.yaml",
    "docker/Dockerfile",
    "docker/web-demo/edge-locations.conf",
    "docker/web-demo/edge.conf",
    "helm/mercato/files/init-databases.sh",
    "k8s/base/kustomization.yaml",
    "k8s/base/redis/network.yaml",
    "k8s/base/router/config.env",
    "k8s/base/router/network.yaml",
    "k8s/base/router/staff-network.yaml",
    "k8s/components/gateway/routes.yaml",
    "k8s/components/ingress/ingress.yaml",
    "k8s/components/operators/postgres-cluster.yaml",
    "k8s/components/operators/postgres-network.yaml",
    "k8s/components/operators/rabbitmq-network.yaml",
    "k8s/components/postgres/init-databases.sh",
    "k8s/components/postgres/network.yaml",
    "k8s/components/rabbitmq/network.yaml",
    "k8s/overlays/dev/kustomization.yaml",
    "k8s/overlays/staging/kustomization.yaml",
    "observability/kustomization.yaml",
    "observability/prometheus/prometheus.yml",
    "observability/prometheus/rules/alerts.yml",
    "observability/prometheus/tests/alerts.test.yml",
    "router/hive.yaml",
    "router/router.yaml",
];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = workspace::root();
    let wanted = wanted(&root)?;
    let count = wanted.len();
    let stale = outdated(&root, wanted);
    if arguments.check && !stale.is_empty() {
        let names: Vec<&str> = stale.keys().map(String::as_str).collect();
        println!("cargo xtask manifests would write: {}", names.join(", "));
        return Ok(ExitCode::FAILURE);
    }
    for (name, text) in &stale {
        let file = root.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        fs::write(&file, text).with_context(|| name.clone())?;
        println!("{name}");
    }
    println!("{} of {count} services' files are new", stale.len());
    Ok(ExitCode::SUCCESS)
}

/// Files that are not as they would be written, with the text they should have.
pub(crate) fn stale(root: &Path) -> Result<BTreeMap<String, String>> {
    Ok(outdated(root, wanted(root)?))
}

fn outdated(root: &Path, mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    files.retain(|name, text| !fs::read_to_string(root.join(name)).is_ok_and(|there| there == *text));
    files
}

/// Every file and its text, by its path in the checkout.
fn wanted(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for service in roster::all() {
        files.extend(service::files(service));
        let board = format!("observability/grafana/dashboards/service-{}.json", service.name);
        files.insert(board, board::of(service)?);
    }
    files.insert("supergraph.yaml".to_owned(), composed());
    files.insert("docs/events.md".to_owned(), events::catalogue(root));
    let secrets = cluster::secrets()?;
    files.extend(chart::files(&secrets));
    files.extend(cluster::files(secrets));
    for name in WITH_BLOCKS {
        // One that is also written whole has its blocks in that text.
        let text = match files.get(name) {
            Some(text) => text.clone(),
            None => fs::read_to_string(root.join(name)).with_context(|| name.to_owned())?,
        };
        let filled = blocks::fill(&text).with_context(|| name.to_owned())?;
        files.insert(name.to_owned(), filled);
    }
    Ok(files)
}

/// What the supergraph is composed of.
fn composed() -> String {
    let head = "# One block per subgraph, in the format rover reads: `rover supergraph compose --config supergraph.yaml`.
# `cargo xtask compose` reads the same file and needs no download and no account.
federation_version: =2.9.0
subgraphs:
";
    let subgraphs = roster::SERVICES.map(|name| {
        format!(
            "  {name}:\n    routing_url: http://{name}:8080/graphql\n    schema:\n      file: ./subgraphs/{name}/schema.graphql\n"
        )
    });
    format!("{head}{}", subgraphs.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_would_be_written() {
        let stale = stale(&workspace::root()).unwrap();
        let names: Vec<&String> = stale.keys().collect();
        assert!(names.is_empty(), "run cargo xtask manifests: {names:?}");
    }
}
