//! Which variables each service reads, told by its source, and which ones its manifest gives it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use roster::Language;
use serde_json::Value;

use crate::objects::{containers, find, list, text};
use crate::root;

/// How a service reads a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It does not start without.
    Required,
    /// It has a default.
    Optional,
    /// It does not start without; `NAME_FILE` does as well.
    Secret,
    /// May be missing; `NAME_FILE` does as well.
    OptionalSecret,
}

/// Settings that services share, by the call that reads them and the file it is written in.
const SHARED: [(&str, &str); 11] = [
    ("Listeners::from_env", "crates/service-kit/src/host.rs"),
    ("HttpSettings::from_env", "crates/graphql-kit/src/http/mod.rs"),
    ("GatewayKeys::from_env", "crates/graphql-kit/src/http/gateway.rs"),
    (
        "UserVerifierConfig::from_env",
        "crates/service-auth/src/verifier.rs",
    ),
    (
        "ServiceIdentityConfig::from_env",
        "crates/service-auth/src/service.rs",
    ),
    ("WsConfig::origins_from_env", "crates/graphql-kit/src/ws/mod.rs"),
    // Of services in TypeScript.
    ("httpSettings(env)", "subgraphs/review/src/kit/graphql/http.ts"),
    ("httpSettings(env)", "subgraphs/review/src/kit/graphql/gateway.ts"),
    ("userConfig(env)", "subgraphs/review/src/kit/auth/users.ts"),
    ("identityConfig(env)", "subgraphs/review/src/kit/auth/services.ts"),
    ("", "crates/service-kit/src/telemetry.rs"),
];

/// Every variable that `service` reads. `source` is its configuration's file.
pub fn read_by(source: &str) -> Result<BTreeMap<String, Need>> {
    let text = file(source)?;
    let mut all = reads(&text);
    all.extend(reads(&file("crates/service-kit/src/run.rs")?));
    for (call, shared) in SHARED {
        if text.contains(call) {
            all.extend(reads(&file(shared)?));
        }
    }
    if text.contains("HttpSettings::from_env") {
        all.extend(reads(&file("crates/graphql-kit/src/http/gateway.rs")?));
    }
    Ok(all)
}

/// The source of a service's configuration.
pub fn source_of(service: &str) -> String {
    match service {
        "psp-sandbox" | "mail-sandbox" => format!("crates/{service}/src/lib.rs"),
        "auditor-watch" => "crates/auditor/src/watch.rs".to_owned(),
        _ => match roster::find(service).map(|service| service.language) {
            Some(Language::Typescript) => format!("subgraphs/{service}/src/config.ts"),
            _ => format!("subgraphs/{service}/src/config.rs"),
        },
    }
}

fn file(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).context(path.to_owned())
}

/// Calls of `env.required("NAME")` and its sisters before the tests begin.
fn reads(source: &str) -> BTreeMap<String, Need> {
    const WAYS: [(&str, Need); 5] = [
        ("env.required", Need::Required),
        ("env.optional", Need::Optional),
        ("env.maybe_secret", Need::OptionalSecret),
        ("env.maybe", Need::Optional),
        ("env.secret", Need::Secret),
    ];
    let code = source.split("#[cfg(test)]").next().unwrap_or(source);
    let mut found = BTreeMap::new();
    for (way, need) in WAYS {
        for (at, _) in code.match_indices(way) {
            let rest = &code[at + way.len()..];
            let rest = match rest.strip_prefix("::<") {
                Some(typed) => typed.split_once(">(").map_or("", |(_, rest)| rest),
                None => rest.strip_prefix('(').unwrap_or_default(),
            };
            let name = rest
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split_once('"'))
                .map(|(name, _)| name.to_owned());
            if let Some(name) = name {
                found.entry(name).or_insert(need);
            }
        }
    }
    found
}

/// The variables a workload's containers get, with the values that stand in manifests; a secret's value is empty.
pub fn of_workload(objects: &[Value], workload: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for container in containers(workload) {
        for source in list(container, "/envFrom") {
            let map = find(objects, "ConfigMap", text(source, "/configMapRef/name"));
            let pairs = map.and_then(|map| map["data"].as_object()).into_iter().flatten();
            all.extend(
                pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())),
            );
        }
        for variable in list(container, "/env") {
            all.insert(
                text(variable, "/name").to_owned(),
                text(variable, "/value").to_owned(),
            );
        }
    }
    all
}

/// What a service misses and what it is given in vain.
pub fn faults(given: &BTreeSet<String>, reads: &BTreeMap<String, Need>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut known = BTreeSet::new();
    for (name, need) in reads {
        let file = format!("{name}_FILE");
        let may_be_file = matches!(need, Need::Secret | Need::OptionalSecret);
        let has = given.contains(name) || (may_be_file && given.contains(&file));
        if !has && matches!(need, Need::Required | Need::Secret) {
            faults.push(format!("{name} is missing"));
        }
        known.insert(name.clone());
        if may_be_file {
            known.insert(file);
        }
    }
    let vain = given
        .difference(&known)
        .map(|name| format!("{name} is read by nobody"));
    faults.extend(vain);
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_tell_what_they_read() {
        let found = reads(
            r#"let a = env.required("A"); let b: u8 = env.optional::<u8>("B", 1);
            let c = env.secret("C"); let d = env.maybe_secret("D"); let e = env.maybe("E").flatten();
            #[cfg(test)] mod tests { env.required("F") }"#,
        );
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [
                ("A".to_owned(), Need::Required),
                ("B".to_owned(), Need::Optional),
                ("C".to_owned(), Need::Secret),
                ("D".to_owned(), Need::OptionalSecret),
                ("E".to_owned(), Need::Optional),
            ]
        );
    }

    #[test]
    fn both_too_few_and_too_many_are_faults() {
        let reads = BTreeMap::from([("A".to_owned(), Need::Required), ("B".to_owned(), Need::Secret)]);
        let given = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(faults(&given(&["A", "B_FILE"]), &reads), Vec::<String>::new());
        assert_eq!(
            faults(&given(&["B", "A_FILE"]), &reads),
            ["A is missing", "A_FILE is read by nobody"]
        );
    }
}
