//! Looking into rendered manifests.

use serde_json::Value;

/// The text at `pointer`, or nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items at `pointer`, or none.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// All objects of a kind.
pub fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// The object of this kind and name.
pub fn find<'a>(objects: &'a [Value], kind: &'a str, name: &str) -> Option<&'a Value> {
    of_kind(objects, kind).find(|object| self::name(object) == name)
}

/// An object's name.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Deployments and StatefulSets.
pub fn workloads(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects
        .iter()
        .filter(|object| object["kind"] == "Deployment" || object["kind"] == "StatefulSet")
}

/// The pod's specification of a workload.
pub fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

/// The containers of a workload, those that start first included.
pub fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    let pod = pod(workload);
    list(pod, "/initContainers")
        .iter()
        .chain(list(pod, "/containers"))
}

/// The labels of a workload's pods.
pub fn pod_labels(workload: &Value) -> &Value {
    &workload["spec"]["template"]["metadata"]["labels"]
}

/// Whether a selector's `matchLabels` fit. An empty selector fits everything.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(name, value)| labels[name] == *value))
}

/// The number of a container's port with this name or number.
pub fn port_number(workload: &Value, port: &Value) -> Option<u64> {
    if let Some(number) = port.as_u64() {
        return Some(number);
    }
    containers(workload)
        .flat_map(|container| list(container, "/ports"))
        .find(|candidate| candidate["name"] == *port)
        .and_then(|candidate| candidate["containerPort"].as_u64())
}
