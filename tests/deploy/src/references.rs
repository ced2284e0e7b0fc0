//! Everything that is named must exist: ConfigMaps, Secrets and their keys, ports, services behind addresses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::objects::{
    containers, find, list, name, of_kind, pod, pod_labels, port_number, selects, text, workloads,
};

/// Keys by the name of a ConfigMap or Secret.
pub type Keys = BTreeMap<String, BTreeSet<String>>;

/// The ConfigMaps of a rendering.
pub fn config_maps(objects: &[Value]) -> Keys {
    of_kind(objects, "ConfigMap")
        .map(|map| {
            let keys = map["data"].as_object().into_iter().flatten();
            (name(map).to_owned(), keys.map(|(key, _)| key.clone()).collect())
        })
        .collect()
}

/// The Secrets that a rendering's ExternalSecrets make.
pub fn external_secrets(objects: &[Value]) -> Keys {
    of_kind(objects, "ExternalSecret")
        .map(|secret| {
            let keys = list(secret, "/spec/data").iter();
            (
                text(secret, "/spec/target/name").to_owned(),
                keys.map(|entry| text(entry, "/secretKey").to_owned()).collect(),
            )
        })
        .collect()
}

/// References to ConfigMaps and Secrets that lead nowhere.
pub fn dangling(objects: &[Value], secrets: &Keys) -> Vec<String> {
    let maps = config_maps(objects);
    let mut faults = Vec::new();
    for workload in workloads(objects) {
        let mut check = |keys: &Keys, what: &str, wanted: &str, key: Option<&str>| {
            let known = keys.get(wanted);
            let missing = match (known, key) {
                (None, _) => Some(format!("{what} {wanted} does not exist")),
                (Some(keys), Some(key)) if !keys.contains(key) => {
                    Some(format!("{what} {wanted} has no {key}"))
                }
                _ => None,
            };
            faults.extend(missing.map(|fault| format!("{}: {fault}", name(workload))));
        };
        for container in containers(workload) {
            for source in list(container, "/envFrom") {
                if source.get("configMapRef").is_some() {
                    check(&maps, "ConfigMap", text(source, "/configMapRef/name"), None);
                }
                if source.get("secretRef").is_some() {
                    check(secrets, "Secret", text(source, "/secretRef/name"), None);
                }
            }
            for variable in list(container, "/env") {
                for (way, keys, what) in [
                    ("configMapKeyRef", &maps, "ConfigMap"),
                    ("secretKeyRef", secrets, "Secret"),
                ] {
                    if let Some(reference) = variable.pointer(&format!("/valueFrom/{way}")) {
                        check(
                            keys,
                            what,
                            text(reference, "/name"),
                            Some(text(reference, "/key")),
                        );
                    }
                }
            }
        }
        for volume in list(pod(workload), "/volumes") {
            for source in list(volume, "/projected/sources").iter().chain([volume]) {
                for (what, way, field, keys) in [
                    ("ConfigMap", "configMap", "/name", &maps),
                    ("Secret", "secret", "/secretName", secrets),
                ] {
                    let Some(source) = source.get(way) else { continue };
                    // Alone a secret is named `secretName`, in a projection `name`.
                    let wanted = Some(text(source, field))
                        .filter(|wanted| !wanted.is_empty())
                        .unwrap_or_else(|| text(source, "/name"));
                    check(keys, what, wanted, None);
                    for item in list(source, "/items") {
                        check(keys, what, wanted, Some(text(item, "/key")));
                    }
                }
            }
        }
        faults.extend(mount_faults(workload));
    }
    faults
}

fn mount_faults(workload: &Value) -> Vec<String> {
    let volumes: BTreeSet<&str> = list(pod(workload), "/volumes")
        .iter()
        .map(|volume| text(volume, "/name"))
        .chain(list(workload, "/spec/volumeClaimTemplates").iter().map(name))
        .collect();
    containers(workload)
        .flat_map(|container| list(container, "/volumeMounts"))
        .map(|mount| text(mount, "/name"))
        .filter(|mounted| !volumes.contains(mounted))
        .map(|mounted| format!("{}: there is no volume {mounted}", name(workload)))
        .collect()
}

/// Services without pods or ports, and ways in that lead to no service.
pub fn unserved(objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for service in of_kind(objects, "Service") {
        let who = name(service);
        let Some(workload) = serving(objects, who) else {
            faults.push(format!("Service {who} has no pods"));
            continue;
        };
        for port in list(service, "/spec/ports") {
            if port_number(workload, &port["targetPort"]).is_none() {
                faults.push(format!("Service {who}: no pod listens on {}", port["targetPort"]));
            }
        }
    }
    let mut way = |who: &str, port: &Value| {
        let found =
            find(objects, "Service", who).is_some_and(|service| service_port(service, port).is_some());
        if !found {
            faults.push(format!("a way in leads to {who}:{port}, which is not there"));
        }
    };
    for ingress in of_kind(objects, "Ingress") {
        for rule in list(ingress, "/spec/rules") {
            for path in list(rule, "/http/paths") {
                let port = &path["backend"]["service"]["port"];
                let port = port.get("name").unwrap_or(&port["number"]);
                way(text(path, "/backend/service/name"), port);
            }
        }
    }
    for route in of_kind(objects, "HTTPRoute") {
        for rule in list(route, "/spec/rules") {
            for backend in list(rule, "/backendRefs") {
                way(text(backend, "/name"), &backend["port"]);
            }
        }
    }
    faults
}

/// The workload behind a Service.
pub fn serving<'a>(objects: &'a [Value], service: &str) -> Option<&'a Value> {
    let selector = &find(objects, "Service", service)?["spec"]["selector"];
    workloads(objects).find(|workload| selects(selector, pod_labels(workload)))
}

/// A Service's port by name or number.
pub fn service_port<'a>(service: &'a Value, port: &Value) -> Option<&'a Value> {
    list(service, "/spec/ports")
        .iter()
        .find(|candidate| candidate["name"] == *port || candidate["port"] == *port)
}
