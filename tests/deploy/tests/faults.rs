//! Rules that never fail are worth nothing: each is shown a manifest with one thing wrong.

use anyhow::{Result, ensure};
use deploy::objects::{name, workloads};
use deploy::{network, policy, references, render, variables};
use serde_json::{Value, json};

use crate::Case;

pub(crate) const CASES: &[Case] = &[("each_rule_sees_what_it_is_for", &["kustomize|kubectl"], seeded)];

/// What is broken: an object, a place in it, what is put there (`null` takes it away), and what must be said.
type Fault = (
    &'static str,
    &'static str,
    &'static str,
    fn() -> Value,
    &'static str,
);

const CONTAINER: &str = "/spec/template/spec/containers/0";

const FAULTS: &[Fault] = &[
    (
        "Deployment",
        "order",
        "/spec/template/spec/containers/0/resources/limits/memory",
        || Value::Null,
        "has no memory in limits",
    ),
    (
        "Deployment",
        "cart",
        "/spec/template/spec/containers/0/livenessProbe",
        || Value::Null,
        "has no livenessProbe",
    ),
    (
        "Deployment",
        "cart",
        "/spec/template/spec/containers/0/readinessProbe/httpGet/port",
        || json!("opps"),
        "at a port it does not have",
    ),
    (
        "Deployment",
        "router",
        "/spec/template/spec/containers/0/image",
        || json!("mercato/router:latest"),
        "`latest`",
    ),
    (
        "Deployment",
        "router",
        "/spec/template/spec/containers/0/image",
        || json!("localhost:5000/router"),
        "without a version",
    ),
    (
        "StatefulSet",
        "redis",
        "/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem",
        || json!(false),
        "may write its image",
    ),
    (
        "StatefulSet",
        "postgres",
        "/spec/template/spec/containers/0/securityContext/capabilities",
        || Value::Null,
        "keeps capabilities",
    ),
    (
        "Deployment",
        "auth",
        "/spec/template/spec/securityContext/seccompProfile",
        || Value::Null,
        "no seccomp profile",
    ),
    (
        "Deployment",
        "auth",
        "/spec/template/spec/automountServiceAccountToken",
        || json!(true),
        "mounts a token",
    ),
    (
        "Deployment",
        "payment",
        "/spec/template/spec/terminationGracePeriodSeconds",
        || json!(30),
        "killed before it could drain",
    ),
    (
        "Deployment",
        "payment",
        "/spec/template/spec/containers/0/lifecycle",
        || Value::Null,
        "before its endpoints are gone",
    ),
    (
        "Deployment",
        "product",
        "/spec/replicas",
        || json!(2),
        "fights its autoscaler",
    ),
    (
        "NetworkPolicy",
        "cart",
        "",
        || Value::Null,
        "has no NetworkPolicy",
    ),
    (
        "PodDisruptionBudget",
        "order",
        "",
        || Value::Null,
        "has no PodDisruptionBudget",
    ),
    (
        "HorizontalPodAutoscaler",
        "web-demo",
        "",
        || Value::Null,
        "has no HorizontalPodAutoscaler",
    ),
    (
        "ServiceAccount",
        "order",
        "",
        || Value::Null,
        "service account is missing",
    ),
    (
        "ConfigMap",
        "cart-config",
        "",
        || Value::Null,
        "ConfigMap cart-config does not exist",
    ),
    (
        "Deployment",
        "order",
        "/spec/template/spec/volumes/0/projected/sources/1/secret/items/0/key",
        || json!("service-key"),
        "Secret order has no service-key",
    ),
    (
        "Deployment",
        "order",
        "/spec/template/spec/containers/0/volumeMounts/0/name",
        || json!("secret"),
        "there is no volume secret",
    ),
    (
        "Service",
        "auth",
        "/spec/ports/0/targetPort",
        || json!("graph"),
        "no pod listens",
    ),
    (
        "Ingress",
        "mercato",
        "/spec/rules/0/http/paths/1/backend/service/name",
        || json!("orders"),
        "is not there",
    ),
    (
        "ConfigMap",
        "cart-config",
        "/data/PRODUCT_URL",
        || json!("http://product:8080"),
        "may not reach product:8080",
    ),
    (
        "ConfigMap",
        "cart-config",
        "/data/PRODUCT_URL",
        || json!("http://products:8081"),
        "which is no Service",
    ),
    (
        "NetworkPolicy",
        "payment",
        "/spec/ingress/1/from/0/podSelector/matchLabels/app.kubernetes.io~1name",
        || json!("cart"),
        "order to payment's internal listener",
    ),
    (
        "NetworkPolicy",
        "order",
        "/spec/ingress/0/from/0/podSelector",
        || json!({}),
        "order's graph",
    ),
    (
        "NetworkPolicy",
        "default-deny",
        "",
        || Value::Null,
        "nothing denies",
    ),
    (
        "NetworkPolicy",
        "postgres",
        "/spec/ingress/0/from/0/podSelector/matchLabels/app.kubernetes.io~1name",
        || json!("cart"),
        "analytics to the databases",
    ),
    (
        "NetworkPolicy",
        "auditor-watch",
        "/spec/egress/0/ports/0/port",
        || json!(5433),
        "auditor-watch to the databases",
    ),
    (
        "ConfigMap",
        "payment-config",
        "/data/PSP_BASE_URL",
        || Value::Null,
        "PSP_BASE_URL is missing",
    ),
    (
        "ConfigMap",
        "payment-config",
        "/data/PSP_PATIENCE",
        || json!("1"),
        "PSP_PATIENCE is read by nobody",
    ),
];

fn seeded() -> Result<()> {
    let mut whole = render::kustomize("dev")?;
    // Generated names change with their content.
    whole.iter_mut().for_each(plain);
    let mut unseen = Vec::new();
    ensure!(all(&whole).is_empty(), "{:?}", all(&whole));
    ensure!(
        workloads(&whole).any(|workload| workload.pointer(CONTAINER).is_some()),
        "no containers"
    );
    for (kind, who, place, what, sentence) in FAULTS {
        let mut broken = whole.clone();
        let at = broken
            .iter()
            .position(|object| object["kind"] == *kind && name(object) == *who);
        let Some(at) = at else {
            unseen.push(format!("there is no {kind} {who}"));
            continue;
        };
        if place.is_empty() {
            broken.remove(at);
        } else {
            put(&mut broken[at], place, what());
        }
        if !all(&broken).iter().any(|fault| fault.contains(sentence)) {
            unseen.push(format!("{kind} {who} {place}: nobody says `{sentence}`"));
        }
    }
    ensure!(unseen.is_empty(), "{}", unseen.join("\n"));
    Ok(())
}

fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(plain),
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::String(text) => {
            if let Some(name) = render::without_suffix(text) {
                *text = name.to_owned();
            }
        }
        _ => {}
    }
}

fn put(object: &mut Value, place: &str, what: Value) {
    let (parent, field) = place.rsplit_once('/').unwrap();
    let field = field.replace("~1", "/");
    let parent = object.pointer_mut(parent).unwrap();
    match (parent, what) {
        (Value::Object(fields), Value::Null) => {
            fields.remove(&field);
        }
        (parent, what) => parent[&field] = what,
    }
}

/// What all rules say.
fn all(objects: &[Value]) -> Vec<String> {
    let secrets = crate::rules::trial_secrets().unwrap();
    let reads = variables::read_by(&variables::source_of("payment")).unwrap();
    let payment = deploy::objects::find(objects, "Deployment", "payment").unwrap();
    let given = variables::of_workload(objects, payment).into_keys().collect();
    [
        policy::violations(objects),
        references::dangling(objects, &secrets),
        references::unserved(objects),
        network::violations(objects),
        variables::faults(&given, &reads),
    ]
    .concat()
}
