//! The configuration that images and compose carry, and the services' own opinion of the variables they get.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use deploy::objects::{list, name, text, workloads};
use deploy::{COMPANIONS, render, root, tools, variables};
use dev_stack::stack::{AUDITOR, ROUTERS};
use roster::SERVICES;
use serde_json::Value;

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "services_accept_their_variables",
        &["kustomize|kubectl", "the services' programs"],
        accepted,
    ),
    ("nginx_takes_its_configuration", &["nginx"], nginx),
    ("compose_is_whole", &[], compose),
    ("compose_gives_each_service_what_it_reads", &[], compose_variables),
    ("images_name_their_bases", &[], dockerfile),
    ("the_routers_image_carries_its_licence", &[], licence),
];

/// Where cargo put the services.
pub(crate) fn binaries() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.to_owned();
    SERVICES
        .iter()
        .chain(&[AUDITOR])
        .all(|service| folder.join(service).is_file())
        .then_some(folder)
}

/// Starts each program with the environment of its manifest. It can't reach its stores and fails for that; a fault of
/// configuration would be exit code 78.
fn accepted() -> Result<()> {
    let objects = render::kustomize("dev")?;
    let folder = tempfile::tempdir()?;
    dev_stack::secrets::Secrets::generate()?.write(folder.path())?;
    let binaries = binaries().context("programs")?;
    for service in SERVICES.into_iter().chain([AUDITOR]) {
        let workload = workloads(&objects)
            .find(|workload| name(workload) == service)
            .context(service)?;
        let mut command = Command::new(binaries.join(service));
        command
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, value) in variables::of_workload(&objects, workload) {
            command.env(&name, local(folder.path(), service, &name, &value));
        }
        let mut child = command.spawn().with_context(|| service.to_owned())?;
        let begun = std::time::Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            // Still busy with what comes after its configuration.
            if begun.elapsed().as_secs() >= 3 {
                break None;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        if status.is_none() {
            child.kill()?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            status.is_none_or(|status| status.code() != Some(78)) && !said.contains("bad configuration"),
            "{service}: {said}"
        );
    }
    Ok(())
}

/// The values of a manifest on this machine: secrets from our folder, ports that are free.
fn local(folder: &std::path::Path, service: &str, name: &str, value: &str) -> String {
    if name.ends_with("_ADDR") {
        return "127.0.0.1:0".to_owned();
    }
    let place = |path: &str| folder.join(path).display().to_string();
    match value.strip_prefix("/run/secrets/") {
        Some("mercato/gateway-key") => place("gateway/accepted"),
        Some("user-keys") => place("auth-user-keys"),
        Some(path) => match path.strip_prefix("mercato/") {
            Some(key) => place(&format!("{service}/{key}")),
            None => place(path),
        },
        None => value.to_owned(),
    }
}

fn nginx() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().display().to_string();
    for entry in std::fs::read_dir(root().join("docker/web-demo"))? {
        let entry = entry?;
        let mut text = std::fs::read_to_string(entry.path())?
            .replace("/tmp/", &format!("{place}/"))
            .replace("/etc/nginx/", &format!("{place}/"));
        // Names that only the network of the containers knows.
        for name in ROUTERS.iter().chain(&SERVICES) {
            text = text.replace(&format!("server {name}:"), "server 127.0.0.1:");
        }
        std::fs::write(folder.path().join(entry.file_name()), text)?;
    }
    std::fs::write(folder.path().join("mime.types"), "types { text/html html; }\n")?;
    for name in ["nginx.conf", "static.conf"] {
        let mut command = Command::new(tools::find("nginx").context("nginx")?);
        command
            .args(["-t", "-q", "-p", &place, "-c"])
            .arg(folder.path().join(name));
        tools::run(&mut command).with_context(|| name.to_owned())?;
    }
    Ok(())
}

fn composition() -> Result<Value> {
    let file = std::fs::read_to_string(root().join("compose.yaml"))?;
    Ok(render::parse(&file)?.remove(0))
}

fn compose() -> Result<()> {
    let compose = composition()?;
    let services = compose["services"].as_object().context("services")?;
    let mut faults = Vec::new();
    for (name, service) in services {
        let image = text(service, "/image");
        let version = image.rsplit_once(':').map_or("", |(_, version)| version);
        if version.is_empty() || version.starts_with("latest") {
            faults.push(format!("{name}: {image} has no version"));
        }
        let waits = match &service["depends_on"] {
            Value::Object(waits) => waits
                .iter()
                .map(|(other, how)| (other.clone(), text(how, "/condition").to_owned()))
                .collect(),
            Value::Array(names) => names
                .iter()
                .filter_map(Value::as_str)
                .map(|other| (other.to_owned(), String::new()))
                .collect(),
            _ => BTreeMap::new(),
        };
        for (other, condition) in waits {
            match services.get(&other) {
                None => faults.push(format!("{name} waits for {other}, which is not there")),
                Some(awaited) if condition == "service_healthy" && awaited.get("healthcheck").is_none() => {
                    faults.push(format!(
                        "{name} waits for the health of {other}, which tells none"
                    ));
                }
                Some(_) => {}
            }
        }
        for volume in list(service, "/volumes").iter().filter_map(Value::as_str) {
            let source = volume.split(':').next().unwrap_or_default();
            let known = if let Some(path) = source.strip_prefix("./") {
                root().join(path).exists()
            } else {
                source.starts_with('/') || compose["volumes"].get(source).is_some()
            };
            if !known {
                faults.push(format!("{name} mounts {source}, which is not there"));
            }
        }
        for port in list(service, "/ports").iter().filter_map(Value::as_str) {
            if !port.starts_with("127.0.0.1:") {
                faults.push(format!("{name} is open to the network at {port}"));
            }
        }
        if image.starts_with("mercato/") {
            let hard = service["read_only"] == true && list(service, "/cap_drop") == [Value::from("ALL")];
            if !hard {
                faults.push(format!("{name} may write its image or keeps capabilities"));
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn compose_variables() -> Result<()> {
    let compose = composition()?;
    let mut faults = Vec::new();
    for service in SERVICES.iter().chain(&COMPANIONS) {
        let given: BTreeSet<String> = compose["services"][service]["environment"]
            .as_object()
            .context("environment")?
            .keys()
            .cloned()
            .collect();
        let reads = variables::read_by(&variables::source_of(service))?;
        let found = variables::faults(&given, &reads);
        faults.extend(found.into_iter().map(|fault| format!("{service}: {fault}")));
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn dockerfile() -> Result<()> {
    let mut faults = Vec::new();
    for name in ["Dockerfile", "web-demo.Dockerfile"] {
        let file = std::fs::read_to_string(root().join("docker").join(name))?;
        for line in file
            .lines()
            .filter(|line| line.starts_with("ARG") && line.contains("_IMAGE="))
        {
            let image = line.split_once('=').map_or("", |(_, image)| image);
            let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
            if tag.is_empty() || tag == "latest" {
                faults.push(format!("{name}: {image}"));
            }
        }
        for copied in file.lines().filter_map(|line| line.strip_prefix("COPY ")) {
            let words: Vec<&str> = copied.split(' ').collect();
            if words[0].starts_with("--from") {
                continue;
            }
            for source in &words[..words.len() - 1] {
                if !source.contains('*') && !root().join(source).exists() {
                    faults.push(format!("{name} copies {source}, which is not there"));
                }
            }
        }
    }
    let file = std::fs::read_to_string(root().join("docker/Dockerfile"))?;
    for target in SERVICES.iter().chain(&COMPANIONS).chain(&["tools", "router"]) {
        if !file.contains(&format!("runtime AS {target}\n")) {
            faults.push(format!("no image {target}"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn licence() -> Result<()> {
    let folder = root().join("docker/router");
    let notice = std::fs::read_to_string(folder.join("NOTICE"))?;
    let licence = std::fs::read_to_string(folder.join("ELASTIC-LICENSE-2.0.txt"))?;
    ensure!(
        notice.contains(&format!("Apollo Router {}", dev_stack::router::VERSION)),
        "{notice}"
    );
    ensure!(licence.contains("Elastic License 2.0"), "another licence");
    let image = std::fs::read_to_string(root().join("docker/Dockerfile"))?;
    ensure!(
        image.contains(&format!("router:v{}", dev_stack::router::VERSION)),
        "another router"
    );
    ensure!(
        image.contains("COPY docker/router/NOTICE docker/router/ELASTIC-LICENSE-2.0.txt"),
        "not in the image"
    );
    Ok(())
}
