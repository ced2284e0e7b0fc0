//! The overlays and the chart say the same, and the chart is whole in itself.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use deploy::{ENVIRONMENTS, render, root, tools};
use serde_json::Value;

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    ("overlays_and_chart_agree", &["kustomize|kubectl", "helm"], agree),
    ("kubectl_reads_the_overlays", &["kubectl"], kubectl_reads),
    ("chart_passes_lint", &["helm"], lint),
    ("chart_refuses_wrong_values", &["helm"], schema),
    ("chart_hands_on_the_mail_authority", &["helm"], authority),
    ("chart_knows_every_secret", &[], secrets),
];

fn agree() -> Result<()> {
    let mut differences = Vec::new();
    for environment in ENVIRONMENTS {
        let overlay = render::normalised(render::kustomize(environment)?);
        let chart = render::normalised(render::helm(environment)?);
        ensure!(
            overlay.len() > 60,
            "{environment} has only {} objects",
            overlay.len()
        );
        let names = |objects: &[(String, Value)]| -> Vec<String> {
            objects.iter().map(|(name, _)| name.clone()).collect()
        };
        if names(&overlay) != names(&chart) {
            differences.push(format!("{environment}: other objects"));
        }
        for ((name, one), (_, other)) in overlay.iter().zip(&chart) {
            compare(&format!("{environment} {name}"), one, other, &mut differences);
        }
    }
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

fn compare(place: &str, overlay: &Value, chart: &Value, differences: &mut Vec<String>) {
    match (overlay, chart) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let (one, other) = (&overlay[name], &chart[name]);
                compare(&format!("{place}/{name}"), one, other, differences);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{place}/{index}"), one, other, differences);
            }
        }
        _ if overlay == chart => {}
        _ => differences.push(format!("{place}: overlay {overlay}, chart {chart}")),
    }
}

fn kubectl_reads() -> Result<()> {
    for environment in ENVIRONMENTS {
        let overlay = root().join("k8s/overlays").join(environment);
        let mut command = Command::new(tools::find("kubectl").unwrap());
        let said = tools::run(command.arg("kustomize").arg(overlay))?;
        ensure!(render::parse(&said)?.len() > 60, "{environment}");
    }
    Ok(())
}

fn lint() -> Result<()> {
    for environment in ENVIRONMENTS {
        let chart = root().join("helm/mercato");
        let values = chart.join(format!("values-{environment}.yaml"));
        let mut command = Command::new(tools::find("helm").unwrap());
        command.arg("lint").arg(&chart).arg("--values").arg(values);
        command.args(["--kube-version", render::KUBERNETES]);
        tools::run(&mut command)?;
    }
    Ok(())
}

/// What the chart makes of its own values and these.
fn template(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(tools::find("helm").unwrap());
    command
        .args(["template", "mercato"])
        .arg(root().join("helm/mercato"));
    command
        .args(["--kube-version", render::KUBERNETES])
        .args(arguments);
    tools::run(&mut command)
}

/// The schema of values is not decoration: each of these is a slip somebody makes.
fn schema() -> Result<()> {
    let wrong = [
        "environment=test",
        "replicas.min=0",
        "replicas.maximum=3",
        "services.billing.config.A=b",
        "sandbox.enabled=maybe",
        "edge.host=https://shop.example.com",
        "image.tag=latest",
        "mail.ca=/etc/ssl/own.pem",
    ];
    for value in wrong {
        if template(&["--set", value]).is_ok() {
            bail!("the chart takes {value}");
        }
    }
    Ok(())
}

/// Who vouches for a mail server reaches notification line by line.
fn authority() -> Result<()> {
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let folder = dev_stack::servers::scratch_folder()?;
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, pem)?;
    let given = format!("mail.ca={}", file.display());
    let objects = render::parse(&template(&["--set-file", &given])?)?;
    let told: Vec<_> = objects.iter().map(|object| &object["data"]["SMTP_CA"]).collect();
    ensure!(
        told.iter().filter(|value| **value == pem).count() == 1,
        "{told:?}"
    );
    Ok(())
}

/// What the chart fetches is what `mercato-secrets` makes.
fn secrets() -> Result<()> {
    let file = std::fs::read_to_string(root().join("helm/mercato/files/secrets.yaml"))?;
    let told: std::collections::BTreeMap<String, std::collections::BTreeSet<String>> =
        serde_json::from_value(render::parse(&file)?.remove(0))?;
    ensure!(told == crate::rules::trial_secrets()?, "{told:#?}");
    Ok(())
}
