//! What a cluster's stores and networks must know of all services: network peers, databases, secrets, the broker.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use dev_stack::secrets::Secrets;
use roster::Service;

/// Secrets that the companions of a deployment have, and not the deployment itself.
const OF_COMPANIONS: [&str; 2] = ["postgres", "psp-sandbox"];

/// Files written whole.
pub(super) fn files(secrets: BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    let topology = format!("{:#}\n", dev_stack::topology());
    let (companions, own): (Vec<_>, Vec<_>) = secrets
        .into_iter()
        .partition(|(name, _)| OF_COMPANIONS.contains(&name.as_str()));
    let databases: Vec<String> = roster::WITH_DATABASE.iter().map(|name| database(name)).collect();
    let owners = roster::WITH_DATABASE.into_iter().chain(["auditor"]);
    let roles: Vec<String> = owners.map(role).collect();
    [
        ("k8s/components/rabbitmq/10-topology.json", topology.clone()),
        ("k8s/components/operators/10-topology.json", topology.clone()),
        ("helm/mercato/files/definitions.json", topology),
        ("k8s/components/external-secrets/secrets.yaml", external(&own)),
        ("k8s/overlays/staging/secrets.yaml", external(&companions)),
        (
            "k8s/components/operators/postgres-databases.yaml",
            databases.join("---\n"),
        ),
        (
            "k8s/components/operators/postgres-roles.yaml",
            roles.join("---\n"),
        ),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

/// Every secret and its keys, as `mercato-secrets` makes them.
pub(super) fn secrets() -> Result<BTreeMap<String, Vec<String>>> {
    let made = Secrets::generate()?;
    let owned = |(name, keys): (&str, Vec<&str>)| {
        let keys = keys.into_iter().map(str::to_owned).collect();
        (name.to_owned(), keys)
    };
    Ok(made.keys().into_iter().map(owned).collect())
}

/// Pods of these services, as a network policy names them.
pub(super) fn peers(services: &[&Service]) -> String {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    named(&names)
}

/// Pods of these names.
pub(super) fn named(names: &[&str]) -> String {
    let peer =
        |name: &&str| format!("- podSelector:\n    matchLabels:\n      app.kubernetes.io/name: {name}");
    names.iter().map(peer).collect::<Vec<_>>().join("\n")
}

/// What an environment changes in each service's variables: what names the shop, and a file of its own.
pub(super) fn configs(origin: &str, file: Option<&str>) -> String {
    let mut text = String::new();
    for service in roster::all() {
        let mut literals = Vec::new();
        if service.is_live() {
            literals.push(format!("ALLOWED_ORIGINS={origin}"));
        }
        for (variable, value) in &service.variables {
            if value.contains("{shop}") {
                literals.push(format!("{variable}={}", value.replace("{shop}", origin)));
            }
        }
        if literals.is_empty() && file.is_none() {
            continue;
        }
        let _ = writeln!(text, "- name: {}-config\n  behavior: merge", service.name);
        if let Some(file) = file {
            let _ = writeln!(text, "  envs: [{file}]");
        }
        if !literals.is_empty() {
            let _ = writeln!(text, "  literals:\n    - {}", literals.join("\n    - "));
        }
    }
    text
}

fn database(name: &str) -> String {
    format!(
        "apiVersion: postgresql.cnpg.io/v1
kind: Database
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: postgres
    app.kubernetes.io/part-of: mercato
spec:
  cluster:
    name: postgres
  name: {name}_db
  owner: {name}
  databaseReclaimPolicy: retain
"
    )
}

fn external(secrets: &[(String, Vec<String>)]) -> String {
    let all: Vec<String> = secrets
        .iter()
        .map(|(name, keys)| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            external_secret(name, "mercato", "", &keys)
        })
        .collect();
    all.join("---\n")
}

/// What a role of a database signs in with.
fn role(name: &str) -> String {
    let template = "    template:\n      type: kubernetes.io/basic-auth\n";
    external_secret(
        &format!("postgres-{name}"),
        "postgres",
        template,
        &["username", "password"],
    )
}

fn external_secret(name: &str, part: &str, template: &str, keys: &[&str]) -> String {
    let mut text = format!(
        "apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {part}
    app.kubernetes.io/part-of: mercato
spec:
  refreshInterval: 1h
  secretStoreRef:
    kind: SecretStore
    name: mercato
  target:
    name: {name}
    creationPolicy: Owner
{template}  data:
"
    );
    for key in keys {
        let _ = writeln!(
            text,
            "    - secretKey: {key}\n      remoteRef:\n        key: mercato/{name}\n        property: {key}"
        );
    }
    text
}
