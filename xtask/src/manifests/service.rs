//! A service's own folder in `k8s/base`, and the variables its container gets. Pure.

use std::collections::BTreeMap;

use roster::Service;

use super::cluster::named;

/// The templates, by the file they become. A line `@name@` alone is left out where there is nothing for it.
const TEMPLATES: [(&str, &str); 7] = [
    (
        "account.yaml",
        include_str!("../../templates/service/account.yaml.tmpl"),
    ),
    (
        "deployment.yaml",
        include_str!("../../templates/service/deployment.yaml.tmpl"),
    ),
    (
        "disruption.yaml",
        include_str!("../../templates/service/disruption.yaml.tmpl"),
    ),
    (
        "kustomization.yaml",
        include_str!("../../templates/service/kustomization.yaml.tmpl"),
    ),
    (
        "network.yaml",
        include_str!("../../templates/service/network.yaml.tmpl"),
    ),
    (
        "scaling.yaml",
        include_str!("../../templates/service/scaling.yaml.tmpl"),
    ),
    (
        "service.yaml",
        include_str!("../../templates/service/service.yaml.tmpl"),
    ),
];
/// Where a deployment's shop is until it says otherwise.
const SHOP: &str = "https://shop.example.com";
/// Not the world: other pods, other machines of ours, and where a cloud tells its secrets.
const INSIDE: [&str; 5] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
];

/// Path and text of each of its files.
pub(super) fn files(service: &Service) -> Vec<(String, String)> {
    let path = |file: &str| format!("k8s/base/{}/{file}", service.name);
    let parts = parts(service);
    let mut files: Vec<(String, String)> = TEMPLATES
        .iter()
        .map(|(file, template)| (path(file), fill(template, service, &parts)))
        .collect();
    let lines = variables(service).into_iter();
    let config: Vec<String> = lines.map(|(name, value)| format!("{name}={value}\n")).collect();
    files.push((path("config.env"), config.concat()));
    files
}

fn fill(template: &str, service: &Service, parts: &BTreeMap<&str, String>) -> String {
    let mut text = String::new();
    for line in template.lines() {
        if let Some(part) = parts.get(line) {
            text.push_str(part);
        } else {
            text.push_str(&line.replace("@name@", &service.name));
            text.push('\n');
        }
    }
    text
}

/// What stands for each line that is a mark.
fn parts(service: &Service) -> BTreeMap<&'static str, String> {
    let callers = roster::callers(&service.name);
    let port = |name: &str, port: u16| {
        format!("- name: http-{name}\n  port: {port}\n  protocol: TCP\n  targetPort: {name}")
    };
    let public = service.public.is_some();
    let mounts = service.folders.iter().map(|folder| {
        let name = &folder.name;
        format!("- mountPath: /run/secrets/{name}\n  name: {name}\n  readOnly: true")
    });
    let volumes = service.folders.iter().map(|folder| {
        let (name, secret) = (&folder.name, &folder.secret);
        format!("- name: {name}\n  secret:\n    defaultMode: 288\n    secretName: {secret}")
    });
    let keys = service.stores().into_iter().map(|(key, _)| key);
    let keys = keys.chain(service.secrets.iter().map(|secret| secret.key.as_str()));
    let keys = keys.map(|key| format!("- key: {key}\n  path: {key}"));
    let listener = "- containerPort: 8082\n  name: public\n  protocol: TCP".to_owned();
    let called = (!callers.is_empty()).then(|| {
        let from = rule("from", &named(&callers), &[8081]);
        format!("# Internal REST: the named callers.\n{from}")
    });
    BTreeMap::from([
        ("@public-port@", {
            let in_pod = public.then_some(listener);
            indented(12, in_pod)
        }),
        ("@folder-mounts@", indented(12, mounts)),
        ("@folder-volumes@", indented(8, volumes)),
        ("@secret-files@", indented(20, keys)),
        ("@callers@", indented(4, called.clone())),
        ("@public@", indented(4, public.then(|| public_rule(service)))),
        ("@egress@", indented(4, egress(service))),
        (
            "@internal-service@",
            indented(4, called.map(|_| port("internal", 8081))),
        ),
        (
            "@public-service@",
            indented(4, public.then(|| port("public", 8082))),
        ),
    ])
}

/// Blocks at a margin, each with its last newline.
fn indented(margin: usize, blocks: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for line in blocks.into_iter().flat_map(|block| {
        let lines: Vec<String> = block.lines().map(str::to_owned).collect();
        lines
    }) {
        text.push_str(&" ".repeat(margin));
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// One rule of a network policy.
fn rule(side: &str, peers: &str, ports: &[u16]) -> String {
    let peers = indented(4, [peers.to_owned()]);
    let ports: Vec<String> = ports
        .iter()
        .map(|port| format!("    - port: {port}\n      protocol: TCP\n"))
        .collect();
    let ports = ports.concat();
    format!("- {side}:\n{peers}  ports:\n{ports}")
}

/// Who reaches the public listener: what comes in by the edge, and whoever verifies users' tokens.
fn public_rule(service: &Service) -> String {
    let edge = "- namespaceSelector:\n    matchLabels:\n      mercato.example/edge: \"true\"";
    let peers = match service.public {
        Some(roster::Public::Jwks) => {
            let others = roster::SERVICES.into_iter().filter(|name| *name != service.name);
            format!("{edge}\n{}", named(&others.collect::<Vec<_>>()))
        }
        _ => edge.to_owned(),
    };
    format!("# What the public may reach.\n{}", rule("from", &peers, &[8082]))
}

fn egress(service: &Service) -> Vec<String> {
    let mut rules = Vec::new();
    if service.public != Some(roster::Public::Jwks) {
        let keys = rule("to", &named(&["auth"]), &[8082]);
        rules.push(format!("# The keys of user tokens.\n{keys}"));
    }
    if !service.calls.is_empty() {
        let callees: Vec<&str> = service.calls.iter().map(String::as_str).collect();
        rules.push(rule("to", &named(&callees), &[8081]));
    }
    for (has, store, port) in [
        (service.database, "postgres", 5432),
        (service.redis.is_some(), "redis", 6379),
        (service.has_broker(), "rabbitmq", 5672),
    ] {
        if has {
            rules.push(rule("to", &named(&[store]), &[port]));
        }
    }
    if let Some(outside) = &service.outside {
        let inside: String = INSIDE.map(|range| format!("\n      - {range}")).concat();
        let world = format!("- ipBlock:\n    cidr: 0.0.0.0/0\n    except:{inside}");
        let world = rule("to", &world, &outside.ports);
        rules.push(format!("# {}: anywhere but inside.\n{world}", outside.what));
    }
    rules
}

/// The variables of `k8s/base`, sorted.
fn variables(service: &Service) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
    for (name, value) in [
        ("GATEWAY_KEY_FILE", "/run/secrets/mercato/gateway-key"),
        ("GRAPHQL_ADDR", "0.0.0.0:8080"),
        ("INTERNAL_ADDR", "0.0.0.0:8081"),
        ("JWT_AUDIENCE", "mercato"),
        ("JWT_ISSUER", "mercato"),
        ("LOG", "info"),
        ("MERCATO_ENV", "production"),
        ("OPS_ADDR", "0.0.0.0:9090"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://otel-collector.observability:4318",
        ),
        ("SERVICE_KEYS_DIR", "/run/secrets/callers"),
        ("SERVICE_KEY_FILE", "/run/secrets/mercato/service-key.pem"),
    ] {
        set(name, value);
    }
    if service.public != Some(roster::Public::Jwks) {
        set("JWKS_URL", "http://auth:8082/.well-known/jwks.json");
    }
    if service.public.is_some() {
        set("PUBLIC_ADDR", "0.0.0.0:8082");
    }
    if service.is_live() {
        set("ALLOWED_ORIGINS", SHOP);
    }
    let secrets = service.secrets.iter();
    let secrets = secrets.map(|secret| (secret.key.as_str(), secret.variable.as_str()));
    for (key, variable) in service.stores().into_iter().chain(secrets) {
        set(
            &format!("{variable}_FILE"),
            &format!("/run/secrets/mercato/{key}"),
        );
    }
    for folder in &service.folders {
        set(&folder.variable, &format!("/run/secrets/{}", folder.name));
    }
    for callee in &service.calls {
        set(
            &format!("{}_URL", callee.to_uppercase()),
            &format!("http://{callee}:8081"),
        );
    }
    for (name, value) in service.variables.iter().chain(&service.production) {
        set(name, &value.replace("{shop}", SHOP));
    }
    all
}

/// The variables of a container in `compose.yaml` beyond those that all have, as YAML values.
pub(super) fn container_variables(service: &Service) -> Vec<(String, String)> {
    let name = &service.name;
    let mut all = Vec::new();
    let mut set = |name: String, value: &str| all.push((name, yaml(value)));
    if service.public.is_some() {
        set("PUBLIC_ADDR".to_owned(), "0.0.0.0:8082");
    }
    if service.is_live() {
        set(
            "ALLOWED_ORIGINS".to_owned(),
            "http://127.0.0.1:3000,http://localhost:3000",
        );
    }
    set(
        "SERVICE_KEY_FILE".to_owned(),
        &format!("/run/secrets/{name}/service-key.pem"),
    );
    for folder in &service.folders {
        set(
            folder.variable.clone(),
            &format!("/run/secrets/{}", folder.secret),
        );
    }
    // Where a sandbox stands for the world nothing is shown to the world.
    let secrets = service.secrets.iter().filter(|secret| !secret.world);
    let secrets = secrets.map(|secret| (secret.key.as_str(), secret.variable.as_str()));
    for (key, variable) in service.stores().into_iter().chain(secrets) {
        set(format!("{variable}_FILE"), &format!("/run/secrets/{name}/{key}"));
    }
    for callee in &service.calls {
        set(
            format!("{}_URL", callee.to_uppercase()),
            &format!("http://{callee}:8081"),
        );
    }
    for (variable, value) in service.variables.iter().chain(&service.development) {
        let value = value
            .replace("{shop}", "http://127.0.0.1:3000")
            .replace("{mail-sandbox}", "mail-sandbox:2525")
            .replace("{psp-sandbox}", "psp-sandbox:8080");
        set(variable.clone(), &value);
    }
    all
}

/// A plain scalar, quoted where YAML would read something else than text.
fn yaml(value: &str) -> String {
    match value {
        "true" | "false" => format!("\"{value}\""),
        _ if value.parse::<f64>().is_ok() => format!("\"{value}\""),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_little_asks_for_little() {
        let service = Service {
            name: "plain".to_owned(),
            ..Service::default()
        };
        let files: BTreeMap<String, String> = files(&service).into_iter().collect();
        let network = &files["k8s/base/plain/network.yaml"];
        for absent in ["postgres", "redis", "rabbitmq", "ipBlock", "8081", "edge", "@"] {
            assert!(!network.contains(absent), "{absent}: {network}");
        }
        assert!(network.contains("# The keys of user tokens."));
        assert!(!files["k8s/base/plain/deployment.yaml"].contains('@'));
        assert!(!files["k8s/base/plain/config.env"].contains("DATABASE_URL"));
        assert!(!files["k8s/base/plain/service.yaml"].contains("internal"));
    }

    #[test]
    fn a_value_that_yaml_would_read_is_quoted() {
        assert_eq!(yaml("true"), "\"true\"");
        assert_eq!(yaml("12"), "\"12\"");
        assert_eq!(yaml("http://a:1"), "http://a:1");
    }
}
