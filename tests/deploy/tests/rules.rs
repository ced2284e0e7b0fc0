//! The rules of policy, references, network and variables, over each environment.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use deploy::objects::{find, list, name, workloads};
use deploy::references::Keys;
use deploy::{COMPANIONS, ENVIRONMENTS, network, policy, references, render, tools, variables};
use roster::SERVICES;
use serde_json::Value;

use crate::Case;

/// Kubernetes versions whose schemas the manifests must fit.
pub(crate) const VERSIONS: [&str; 2] = ["v1.35.0", "v1.37.0"];

const KUSTOMIZE: &[&str] = &["kustomize|kubectl"];

pub(crate) const CASES: &[Case] = &[
    ("every_workload_follows_policy", KUSTOMIZE, || {
        everywhere(|_, objects| policy::violations(objects))
    }),
    ("every_reference_leads_somewhere", KUSTOMIZE, || {
        everywhere(dangling)
    }),
    ("every_way_in_has_pods_behind_it", KUSTOMIZE, || {
        everywhere(|_, objects| references::unserved(objects))
    }),
    ("networks_follow_the_architecture", KUSTOMIZE, || {
        everywhere(|_, objects| network::violations(objects))
    }),
    ("the_public_reaches_three_listeners", KUSTOMIZE, || {
        everywhere(public)
    }),
    ("each_service_gets_the_variables_it_reads", KUSTOMIZE, || {
        everywhere(given)
    }),
    (
        "schemas_of_two_versions_fit",
        &["kustomize|kubectl", "kubeconform", "schemas", "definitions"],
        schemas,
    ),
];

/// Applies a rule to each environment; all violations are told at once.
fn everywhere(rule: fn(&str, &[Value]) -> Vec<String>) -> Result<()> {
    let mut violations = Vec::new();
    for environment in ENVIRONMENTS {
        let objects = render::kustomize(environment)?;
        ensure!(workloads(&objects).count() >= 9, "{environment} is not whole");
        let found = rule(environment, &objects);
        violations.extend(found.into_iter().map(|fault| format!("{environment}: {fault}")));
    }
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

/// The secrets `mercato-secrets` makes.
pub(crate) fn trial_secrets() -> Result<Keys> {
    let secrets = dev_stack::secrets::Secrets::generate()?;
    Ok(secrets
        .keys()
        .into_iter()
        .map(|(name, keys)| (name.to_owned(), keys.into_iter().map(str::to_owned).collect()))
        .collect())
}

fn dangling(environment: &str, objects: &[Value]) -> Vec<String> {
    let secrets = match environment {
        "dev" => match trial_secrets() {
            Ok(secrets) => secrets,
            Err(error) => return vec![error.to_string()],
        },
        _ => references::external_secrets(objects),
    };
    references::dangling(objects, &secrets)
}

fn public(_: &str, objects: &[Value]) -> Vec<String> {
    let open: BTreeSet<(&str, Vec<u64>)> = workloads(objects)
        .map(|workload| (name(workload), network::public_ports(objects, name(workload))))
        .filter(|(_, ports)| !ports.is_empty())
        .collect();
    let public = roster::all().iter().filter(|service| service.public.is_some());
    let mut allowed: BTreeSet<(&str, Vec<u64>)> = public
        .map(|service| (service.name.as_str(), vec![8082]))
        .collect();
    allowed.extend([
        ("router", vec![4000]),
        ("router-staff", vec![4000]),
        ("web-demo", vec![8080]),
    ]);
    if open == allowed {
        Vec::new()
    } else {
        vec![format!("the public reaches {open:?}")]
    }
}

fn given(_: &str, objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for service in SERVICES.iter().chain(&COMPANIONS) {
        let Some(workload) =
            find(objects, "Deployment", service).or_else(|| find(objects, "StatefulSet", service))
        else {
            continue;
        };
        let reads = match variables::read_by(&variables::source_of(service)) {
            Ok(reads) => reads,
            Err(error) => return vec![format!("{error:#}")],
        };
        let given = variables::of_workload(objects, workload).into_keys().collect();
        let found = variables::faults(&given, &reads);
        faults.extend(found.into_iter().map(|fault| format!("{service}: {fault}")));
    }
    faults
}

fn schemas() -> Result<()> {
    let definitions = tools::definitions().context("definitions")?;
    let custom = custom_schemas(&definitions)?;
    for version in VERSIONS {
        let folder = tools::schemas(version).context("schemas")?;
        for environment in ENVIRONMENTS {
            let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
            let text = render::kustomize_text(environment)?;
            std::fs::write(file.path(), &text)?;
            let mut command = Command::new(tools::find("kubeconform").context("kubeconform")?);
            command.args(["-strict", "-output", "json", "-summary"]);
            for (folder, name) in [
                (folder.as_path(), "{{.ResourceKind}}{{.KindSuffix}}"),
                (
                    custom.path(),
                    "{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}",
                ),
            ] {
                command
                    .arg("-schema-location")
                    .arg(format!("{}/{name}.json", folder.display()));
            }
            let said =
                tools::run(command.arg(file.path())).with_context(|| format!("{environment} {version}"))?;
            let report: Value = serde_json::from_str(&said)?;
            ensure!(
                report["summary"]["valid"].as_u64() == u64::try_from(render::parse(&text)?.len()).ok(),
                "{environment} {version}: {report}"
            );
        }
    }
    Ok(())
}

/// JSON schemas of custom resources, strict like those of Kubernetes' own: what is not named may not be there.
fn custom_schemas(definitions: &std::path::Path) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(definitions)? {
        for definition in render::parse(&std::fs::read_to_string(entry?.path())?)? {
            let kind = definition["spec"]["names"]["kind"].as_str().unwrap_or_default();
            let group = definition["spec"]["group"].as_str().unwrap_or_default();
            for version in list(&definition, "/spec/versions") {
                let mut schema = version["schema"]["openAPIV3Schema"].clone();
                close(&mut schema, true);
                let version = version["name"].as_str().unwrap_or_default();
                let name = format!("{group}_{}_{version}.json", kind.to_lowercase());
                std::fs::write(folder.path().join(name), schema.to_string())?;
            }
        }
    }
    Ok(folder)
}

/// An object with named fields takes no others, unless it says that it keeps them; `metadata` is checked elsewhere.
fn close(schema: &mut Value, is_root: bool) {
    let keeps = schema["x-kubernetes-preserve-unknown-fields"] == true;
    if let Some(fields) = schema.as_object_mut() {
        if fields.get("properties").is_some() && !keeps {
            fields.entry("additionalProperties").or_insert(Value::Bool(false));
        }
        // What Kubernetes calls a number or a text is either here.
        if fields.remove("x-kubernetes-int-or-string").is_some() {
            fields.insert("type".to_owned(), serde_json::json!(["integer", "string"]));
        }
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if !(is_root && name == "metadata") {
                close(property, false);
            }
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(inner).filter(|inner| inner.is_object()) {
            close(inner, false);
        }
    }
}
