//! What kustomize and helm make of the manifests, as values.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{root, tools};

/// The Kubernetes version the chart is rendered for.
pub const KUBERNETES: &str = "1.35.0";

/// What was rendered before: many rules look at the same text.
static RENDERED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// An overlay, as text.
pub fn kustomize_text(environment: &str) -> Result<String> {
    let mut rendered = RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = rendered.get(environment) {
        return Ok(text.clone());
    }
    let text = render_overlay(environment)?;
    rendered.insert(environment.to_owned(), text.clone());
    Ok(text)
}

fn render_overlay(environment: &str) -> Result<String> {
    let overlay = root().join("k8s/overlays").join(environment);
    let mut command = match (tools::find("kustomize"), tools::find("kubectl")) {
        (Some(kustomize), _) => Command::new(kustomize),
        (None, kubectl) => Command::new(kubectl.context("neither kustomize nor kubectl")?),
    };
    let is_kubectl = command.get_program().to_string_lossy().ends_with("kubectl");
    command
        .arg(if is_kubectl { "kustomize" } else { "build" })
        .arg(overlay);
    tools::run(&mut command)
}

/// An overlay's objects.
pub fn kustomize(environment: &str) -> Result<Vec<Value>> {
    parse(&kustomize_text(environment)?)
}

/// The chart with an environment's values, as text.
pub fn helm_text(environment: &str) -> Result<String> {
    let chart = root().join("helm/mercato");
    let mut command = Command::new(tools::find("helm").context("helm")?);
    command
        .args(["template", "mercato"])
        .arg(&chart)
        .args(["--skip-tests", "--kube-version", KUBERNETES])
        .args(["--namespace", &format!("mercato-{environment}"), "--values"])
        .arg(chart.join(format!("values-{environment}.yaml")));
    tools::run(&mut command)
}

/// The chart's objects.
pub fn helm(environment: &str) -> Result<Vec<Value>> {
    parse(&helm_text(environment)?)
}

/// All documents of a YAML stream that are not empty.
pub fn parse(text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).context("YAML")?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// What may differ between the two without meaning anything: the suffix kustomize gives to generated names, the
/// chart's own labels, and the checksums that do for helm what that suffix does for kustomize.
pub fn normalised(mut objects: Vec<Value>) -> Vec<(String, Value)> {
    objects.retain(|object| object["kind"] != "Namespace");
    let mut named: Vec<(String, Value)> = objects
        .into_iter()
        .map(|mut object| {
            plain(&mut object);
            let kind = object["kind"].as_str().unwrap_or_default();
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            (format!("{kind}/{name}"), object)
        })
        .collect();
    named.sort_by(|one, other| one.0.cmp(&other.0));
    named
}

fn plain(value: &mut Value) {
    const IGNORED: [&str; 3] = ["helm.sh/chart", "app.kubernetes.io/managed-by", "checksum/config"];
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !IGNORED.contains(&name.as_str()));
            fields.values_mut().for_each(plain);
            fields.retain(|name, value| {
                name != "annotations" || value.as_object().is_some_and(|map| !map.is_empty())
            });
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::String(text) => {
            if let Some(name) = without_suffix(text) {
                *text = name.to_owned();
            }
        }
        _ => {}
    }
}

/// `order-config-7c8d4f5b2m` is kustomize's name for `order-config`.
pub fn without_suffix(name: &str) -> Option<&str> {
    let (name, suffix) = name.rsplit_once('-')?;
    let is_hash = suffix.len() == 10
        && suffix
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_hash && name.ends_with("-config")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_generated_names_lose_their_end() {
        assert_eq!(without_suffix("order-config-7c8d4f5b2m"), Some("order-config"));
        assert_eq!(without_suffix("order-config"), None);
        assert_eq!(without_suffix("order-configabcd-e"), None);
    }

    #[test]
    fn empty_documents_are_no_objects() {
        assert_eq!(parse("---\n# nothing\n---\nkind: A\n---\n").unwrap().len(), 1);
    }
}
