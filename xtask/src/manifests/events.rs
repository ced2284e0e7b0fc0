//! What services tell each other, as a picture and a table.

use std::fmt::Write as _;
use std::path::Path;

use roster::Service;

const GOLDEN: &str = "crates/contracts/golden";

const HEAD: &str = "# Events

Written by `cargo xtask manifests` from each `service.toml`. An event is a fact of its publisher, put into the outbox by the transaction that made it true, and a CloudEvent on the exchange `NAME.events` with its type as routing key. Who applies it has a queue and an inbox of its own, so that it counts once ([how](../crates/event-bus/README.md)).

";

/// `docs/events.md`.
pub(super) fn catalogue(root: &Path) -> String {
    let mut text = HEAD.to_owned();
    picture(&mut text);
    table(&mut text, root);
    let live = roster::LIVE.join(" and ");
    let _ = writeln!(
        text,
        "\nWhat is pushed to clients comes from events too: each process of {live} also hears its own, from a queue that ends with it."
    );
    text
}

fn picture(text: &mut String) {
    text.push_str("```mermaid\nflowchart LR\n");
    for service in roster::all() {
        for heard in &service.events.consumes {
            let types = heard.events.join("<br/>");
            let _ = writeln!(text, "  {} -- \"{types}\" --> {}", heard.from, service.name);
        }
    }
    text.push_str("```\n");
}

fn table(text: &mut String, root: &Path) {
    text.push_str("\n| event | published by | applied by | example |\n|---|---|---|---|\n");
    for service in roster::all() {
        for kind in &service.events.publishes {
            let _ = writeln!(
                text,
                "| `{kind}` | {} | {} | {} |",
                service.name,
                hearers(service, kind),
                example(root, kind)
            );
        }
    }
}

fn hearers(service: &Service, kind: &str) -> String {
    let hears = |other: &&Service| {
        let mut consumes = other.events.consumes.iter();
        consumes.any(|heard| heard.from == service.name && heard.events.iter().any(|one| one == kind))
    };
    let names: Vec<&str> = roster::all()
        .iter()
        .filter(hears)
        .map(|other| other.name.as_str())
        .collect();
    if names.is_empty() && service.is_live() {
        return "clients, over subscriptions".to_owned();
    }
    names.join(", ")
}

/// A link to the golden file, once there is one.
fn example(root: &Path, kind: &str) -> String {
    let (fact, _) = kind.rsplit_once('.').unwrap_or((kind, ""));
    let name = format!("{}.json", fact.replace('.', "_"));
    if root.join(GOLDEN).join(&name).is_file() {
        format!("[{name}](../{GOLDEN}/{name})")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use crate::workspace;

    use super::*;

    #[test]
    fn every_event_has_its_line() {
        let text = catalogue(&workspace::root());
        for line in [
            "| `reservation.expired.v1` | inventory | order | [reservation_expired.json](../crates/contracts/golden/reservation_expired.json) |",
            "  inventory -- \"reservation.expired.v1\" --> order",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
        let types = roster::all().iter().flat_map(|service| &service.events.publishes);
        for kind in types {
            assert!(
                !example(&workspace::root(), kind).is_empty(),
                "{kind} has no golden file"
            );
        }
    }
}
