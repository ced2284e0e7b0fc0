//! Whether the network policies let through exactly what the architecture allows (ARCHITECTURE.md, rules 2 and 3).

use serde_json::Value;

use crate::objects::{find, list, name, of_kind, pod_labels, port_number, selects, text, workloads};
use crate::references::{service_port, serving};

/// What is not the world: other pods, other machines of ours, and where a cloud tells its secrets.
const INSIDE: [&str; 5] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
];
const GRAPHQL_PORT: u64 = 8080;
const INTERNAL_PORT: u64 = 8081;
const DATABASE_PORT: u64 = 5432;

/// Every way in which the policies allow more or less than they should.
pub fn violations(objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    if !of_kind(objects, "NetworkPolicy").any(denies_all) {
        faults.push("nothing denies what no policy allows".to_owned());
    }
    for service in roster::SERVICES {
        for caller in workloads(objects).map(name) {
            for (listener, port, may) in [
                ("graph", GRAPHQL_PORT, dev_stack::stack::ROUTERS.contains(&caller)),
                (
                    "internal listener",
                    INTERNAL_PORT,
                    roster::callers(service).contains(&caller),
                ),
            ] {
                // Each side must be right by itself: one that is open waits for the other to be.
                let admitted = admits(objects, caller, service, port);
                let allowed = allows(objects, caller, service, port);
                if admitted != may || allowed != may {
                    faults.push(format!(
                        "{caller} to {service}'s {listener}: {}",
                        admitted || allowed
                    ));
                }
            }
        }
    }
    for caller in workloads(objects)
        .map(name)
        .filter(|caller| find(objects, "Service", "postgres").is_some() && *caller != "postgres")
    {
        // Those who own a database, and the one who reads the books of three.
        let may = roster::WITH_DATABASE.contains(&caller) || caller == dev_stack::stack::AUDITOR;
        if allows(objects, caller, "postgres", DATABASE_PORT) != may {
            faults.push(format!("{caller} to the databases: {}", !may));
        }
    }
    faults.extend(unreachable(objects));
    faults.extend(outside(objects));
    faults
}

/// Services that may reach the world though they need not, or the inside by way of it.
fn outside(objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for service in roster::all() {
        let Some(policy) = find(objects, "NetworkPolicy", &service.name) else {
            continue;
        };
        let ports = service.outside.as_ref().map_or(&[][..], |outside| &outside.ports);
        let service = &service.name;
        for rule in list(policy, "/spec/egress") {
            for block in list(rule, "/to").iter().filter_map(|peer| peer.get("ipBlock")) {
                let spared = |range: &&str| list(block, "/except").iter().any(|spared| spared == range);
                if !INSIDE.iter().all(spared) {
                    faults.push(format!(
                        "{service} may reach the inside by way of {}",
                        block["cidr"]
                    ));
                }
                let open = list(rule, "/ports");
                let needed = |port: &Value| ports.iter().any(|needed| port["port"] == *needed);
                if open.is_empty() || !open.iter().all(needed) {
                    faults.push(format!("{service} may reach the world at {open:?}"));
                }
            }
        }
    }
    faults
}

fn denies_all(policy: &Value) -> bool {
    let selector = &policy["spec"]["podSelector"];
    selector.as_object().is_some_and(serde_json::Map::is_empty)
        && list(policy, "/spec/policyTypes").len() == 2
        && list(policy, "/spec/ingress").is_empty()
        && list(policy, "/spec/egress").is_empty()
}

/// Addresses in a workload's configuration that the policies don't let it reach.
fn unreachable(objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for workload in workloads(objects) {
        let who = name(workload);
        for (variable, address) in crate::variables::of_workload(objects, workload) {
            let Some((host, port)) = address_of(&address) else {
                continue;
            };
            let Some(service) = find(objects, "Service", host) else {
                if !host.contains('.') {
                    faults.push(format!("{who}: {variable} names {host}, which is no Service"));
                }
                continue;
            };
            let target = service_port(service, &Value::from(port))
                .zip(serving(objects, host))
                .and_then(|(port, callee)| port_number(callee, &port["targetPort"]));
            match target {
                None => faults.push(format!("{who}: {variable} names a port {host} does not have")),
                Some(port) if !allows(objects, who, host, port) => {
                    faults.push(format!("{who} may not reach {host}:{port}, as {variable} wants"));
                }
                Some(_) => {}
            }
        }
    }
    faults
}

/// Host and port of an `http://` address.
fn address_of(text: &str) -> Option<(&str, u64)> {
    let rest = text.strip_prefix("http://")?;
    let authority = rest.split('/').next()?;
    let (host, port) = authority.split_once(':')?;
    Some((host, port.parse().ok()?))
}

/// Whether both sides let `from` open a connection to `to`'s port. What the mesh's proxies do among themselves is not
/// looked at.
fn allows(objects: &[Value], from: &str, to: &str, port: u64) -> bool {
    is_open(objects, from, to, port, "/spec/egress", "/to") && admits(objects, from, to, port)
}

/// Whether `to` lets `from` in, whatever `from`'s own policy says.
fn admits(objects: &[Value], from: &str, to: &str, port: u64) -> bool {
    is_open(objects, to, from, port, "/spec/ingress", "/from")
}

/// Whether a policy of `subject` has a rule for this port and peer.
fn is_open(objects: &[Value], subject: &str, peer: &str, port: u64, direction: &str, side: &str) -> bool {
    let labels = |who: &str| {
        workloads(objects)
            .find(|workload| name(workload) == who)
            .map(pod_labels)
    };
    let (Some(subject), Some(peer)) = (labels(subject), labels(peer)) else {
        return false;
    };
    of_kind(objects, "NetworkPolicy")
        .filter(|policy| selects(&policy["spec"]["podSelector"]["matchLabels"], subject))
        .flat_map(|policy| list(policy, direction))
        .any(|rule| has_port(rule, port) && has_peer(rule, side, peer))
}

fn has_port(rule: &Value, port: u64) -> bool {
    rule.get("ports").is_none()
        || list(rule, "/ports")
            .iter()
            .any(|candidate| candidate["port"] == port)
}

/// Peers of the same namespace; a rule without peers lets everybody through.
fn has_peer(rule: &Value, side: &str, labels: &Value) -> bool {
    rule.pointer(side).is_none()
        || list(rule, side).iter().any(|peer| {
            peer.get("namespaceSelector").is_none()
                && peer
                    .get("podSelector")
                    .is_some_and(|selector| selects(&selector["matchLabels"], labels))
        })
}

/// Ports of a service that the public may reach, by the label of the namespace it comes from.
pub fn public_ports(objects: &[Value], service: &str) -> Vec<u64> {
    let Some(policy) = find(objects, "NetworkPolicy", service) else {
        return Vec::new();
    };
    list(policy, "/spec/ingress")
        .iter()
        .filter(|rule| {
            list(rule, "/from")
                .iter()
                .any(|peer| text(peer, "/namespaceSelector/matchLabels/mercato.example~1edge") == "true")
        })
        .flat_map(|rule| list(rule, "/ports"))
        .filter_map(|port| port["port"].as_u64())
        .collect()
}
