//! What every workload must have, whatever it is.

use serde_json::Value;

use crate::objects::{
    containers, find, list, name, of_kind, pod, pod_labels, port_number, selects, text, workloads,
};

/// Seconds a subgraph may need to stop: before it begins, connections, work in hand, spans.
const DRAIN_S: u64 = 5 + 10 + 20 + 2;

/// Every violation of the rules, as a sentence.
pub fn violations(objects: &[Value]) -> Vec<String> {
    let mut all = Vec::new();
    for workload in workloads(objects) {
        let mut faults = pod_faults(objects, workload);
        for container in containers(workload) {
            let who = text(container, "/name");
            let found = container_faults(workload, container);
            faults.extend(found.into_iter().map(|fault| format!("container {who} {fault}")));
        }
        faults.extend(company_faults(objects, workload));
        let kind = text(workload, "/kind");
        all.extend(
            faults
                .into_iter()
                .map(|fault| format!("{kind} {}: {fault}", name(workload))),
        );
    }
    let secrets = of_kind(objects, "Secret").map(|secret| format!("Secret {} is in git", name(secret)));
    all.extend(secrets);
    all
}

fn container_faults(workload: &Value, container: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, sentence: &str| {
        if !holds {
            faults.push(sentence.to_owned());
        }
    };
    for side in ["requests", "limits"] {
        for what in ["cpu", "memory"] {
            let pointer = format!("/resources/{side}/{what}");
            must(
                container.pointer(&pointer).is_some(),
                &format!("has no {what} in {side}"),
            );
        }
    }
    let security = &container["securityContext"];
    must(
        security["allowPrivilegeEscalation"] == false,
        "may gain privileges",
    );
    must(security["privileged"] != true, "is privileged");
    must(security["readOnlyRootFilesystem"] == true, "may write its image");
    must(security["runAsNonRoot"] == true, "may run as root");
    must(
        list(security, "/capabilities/drop") == [Value::from("ALL")],
        "keeps capabilities",
    );
    must(
        list(security, "/capabilities/add").is_empty(),
        "asks for capabilities",
    );
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let Some(probed) = container.get(probe) else {
            must(false, &format!("has no {probe}"));
            continue;
        };
        for way in ["httpGet", "tcpSocket"] {
            if let Some(port) = probed.get(way).map(|way| &way["port"]) {
                must(
                    port_number(workload, port).is_some(),
                    &format!("has a {probe} at a port it does not have"),
                );
            }
        }
    }
    let image = text(container, "/image");
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    must(
        !tag.is_empty() && !tag.contains('/'),
        "has an image without a version",
    );
    must(tag != "latest", "has an image `latest`");
    must(
        container["imagePullPolicy"] == "IfNotPresent",
        "has no pull policy",
    );
    faults
}

fn pod_faults(objects: &[Value], workload: &Value) -> Vec<String> {
    let pod = pod(workload);
    let mut faults = Vec::new();
    let mut must = |holds: bool, sentence: &str| {
        if !holds {
            faults.push(sentence.to_owned());
        }
    };
    let security = &pod["securityContext"];
    must(security["runAsNonRoot"] == true, "pod may run as root");
    must(
        security["runAsUser"].as_u64().is_some_and(|user| user > 0),
        "pod names no user",
    );
    must(
        text(security, "/seccompProfile/type") == "RuntimeDefault",
        "pod has no seccomp profile",
    );
    must(pod["automountServiceAccountToken"] == false, "pod mounts a token");
    must(
        pod["enableServiceLinks"] == false,
        "pod gets variables of other services",
    );
    for shared in ["hostNetwork", "hostPID", "hostIPC"] {
        must(pod[shared] != true, &format!("pod has {shared}"));
    }
    must(
        list(pod, "/volumes")
            .iter()
            .all(|volume| volume.get("hostPath").is_none()),
        "pod mounts the machine's files",
    );
    let account = text(pod, "/serviceAccountName");
    must(account == name(workload), "pod has not its own service account");
    must(
        find(objects, "ServiceAccount", account)
            .is_some_and(|account| account["automountServiceAccountToken"] == false),
        "its service account is missing or mounts a token",
    );
    if roster::SERVICES.contains(&name(workload)) {
        must(
            pod["terminationGracePeriodSeconds"]
                .as_u64()
                .is_some_and(|grace| grace >= DRAIN_S),
            "is killed before it could drain",
        );
        let waits = containers(workload).all(|container| {
            container
                .pointer("/lifecycle/preStop/sleep/seconds")
                .and_then(Value::as_u64)
                .is_some_and(|seconds| seconds >= 5)
        });
        must(waits, "stops accepting before its endpoints are gone");
    }
    if workload["kind"] == "Deployment" {
        must(
            !list(pod, "/topologySpreadConstraints").is_empty(),
            "pods are not spread",
        );
        must(
            workload.pointer("/spec/strategy/rollingUpdate/maxUnavailable") == Some(&Value::from(0)),
            "a rollout takes pods away first",
        );
        must(
            workload.pointer("/spec/replicas").is_none(),
            "fights its autoscaler over replicas",
        );
    }
    faults
}

/// What must exist beside a workload.
fn company_faults(objects: &[Value], workload: &Value) -> Vec<String> {
    let labels = pod_labels(workload);
    let mut faults = Vec::new();
    let selected = |kind: &'static str, pointer: &str| {
        of_kind(objects, kind).any(|object| {
            object
                .pointer(pointer)
                .and_then(Value::as_object)
                .is_some_and(|wanted| !wanted.is_empty())
                && object
                    .pointer(pointer)
                    .is_some_and(|selector| selects(selector, labels))
        })
    };
    if !selects(&workload["spec"]["selector"]["matchLabels"], labels) {
        faults.push("does not select its own pods".to_owned());
    }
    if !selected("NetworkPolicy", "/spec/podSelector/matchLabels") {
        faults.push("has no NetworkPolicy of its own".to_owned());
    }
    if !selected("PodDisruptionBudget", "/spec/selector/matchLabels") {
        faults.push("has no PodDisruptionBudget".to_owned());
    }
    if !selected("Service", "/spec/selector") {
        faults.push("has no Service".to_owned());
    }
    let scaled = of_kind(objects, "HorizontalPodAutoscaler")
        .find(|scaler| text(scaler, "/spec/scaleTargetRef/name") == name(workload));
    match (workload["kind"] == "Deployment", scaled) {
        (true, None) => faults.push("has no HorizontalPodAutoscaler".to_owned()),
        (true, Some(scaler))
            if scaler["spec"]["minReplicas"].as_u64() > scaler["spec"]["maxReplicas"].as_u64() =>
        {
            faults.push("scales from more to fewer".to_owned());
        }
        _ => {}
    }
    faults
}
