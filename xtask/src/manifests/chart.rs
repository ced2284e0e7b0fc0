//! What the chart is told of the services, from which its templates make the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use roster::{Public, Service};
use serde_json::json;

const HEAD: &str =
    "# Written by `cargo xtask manifests` from each service.toml: facts of the code, not settings.
# NetworkPolicies, ports, variables and secrets all follow from here.
";

/// Files written whole.
pub(super) fn files(secrets: &BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    let services: String = roster::all().iter().map(facts).collect();
    let lists = secrets
        .iter()
        .map(|(name, keys)| format!("{name}: [{}]\n", keys.join(", ")));
    let secrets = format!(
        "# Written by `cargo xtask manifests`: every secret the system needs, and its keys. `mercato-secrets` makes them for a\n# trial; ExternalSecrets fetch them.\n{}",
        lists.collect::<Vec<_>>().concat()
    );
    vec![
        (
            "helm/mercato/files/topology.yaml".to_owned(),
            format!("{HEAD}{services}"),
        ),
        ("helm/mercato/files/secrets.yaml".to_owned(), secrets),
    ]
}

/// One service. A list or a map stands as JSON, which is YAML too.
fn facts(service: &Service) -> String {
    let mut text = format!("{}:\n", service.name);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name}: {value}");
    };
    for (name, has) in [
        ("database", service.database),
        ("redis", service.redis.is_some()),
        ("amqp", service.has_broker()),
    ] {
        line(name, has.to_string());
    }
    if let Some(public) = service.public {
        let kind = match public {
            Public::Jwks => "jwks",
            Public::Live => "live",
            Public::Webhooks => "webhooks",
        };
        line("public", kind.to_owned());
    }
    if let Some(path) = service.live_path() {
        line("livePath", path);
    }
    let callers = roster::callers(&service.name);
    line("internal", (!callers.is_empty()).to_string());
    line("calledBy", json!(callers).to_string());
    line("calls", json!(service.calls).to_string());
    let secrets = service.secrets.iter();
    let secrets =
        secrets.map(|secret| json!({"key": secret.key, "variable": secret.variable, "world": secret.world}));
    line("secrets", json!(secrets.collect::<Vec<_>>()).to_string());
    line("folders", json!(service.folders).to_string());
    line("variables", json!(service.variables).to_string());
    line("production", json!(service.production).to_string());
    if let Some(outside) = &service.outside {
        line("outside", json!(outside).to_string());
    }
    text
}
