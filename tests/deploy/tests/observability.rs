//! Rules, boards and runbooks: they are right in themselves, ask only for metrics there are, and know each other.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use deploy::{metrics, root, tools};
use serde_json::Value;

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    ("prometheus_takes_its_rules", &["promtool"], check_rules),
    ("alerts_fire_when_they_should", &["promtool"], test_rules),
    (
        "prometheus_takes_its_configuration",
        &["promtool"],
        check_configuration,
    ),
    ("queries_ask_for_metrics_there_are", &[], known_metrics),
    ("each_alert_has_a_runbook_and_a_test", &[], runbooks),
    ("boards_are_whole", &[], boards),
];

/// Metrics of programs that are not ours, as far as they are asked for. Each was seen at the program itself.
const OF_OTHERS: [&str; 23] = [
    "up",
    "vector",
    "absent",
    "apollo_router_cache_miss_time_count",
    "apollo_router_cache_size",
    "apollo_router_jemalloc_allocated",
    "apollo_router_jemalloc_resident",
    "apollo_router_overhead_seconds_bucket",
    "apollo_router_query_planning_total_duration_bucket",
    "http_client_request_duration_seconds_bucket",
    "http_client_request_duration_seconds_count",
    "http_server_active_requests",
    "http_server_request_duration_seconds_bucket",
    "http_server_request_duration_seconds_count",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_channels",
    "rabbitmq_connections",
    "rabbitmq_global_messages_delivered_total",
    "rabbitmq_global_messages_received_total",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_queue_messages_ready",
    "rabbitmq_queue_messages_unacked",
];
const LIMITS_OF_OTHERS: [&str; 1] = ["rabbitmq_resident_memory_limit_bytes"];

fn promtool() -> Result<Command> {
    Ok(Command::new(tools::find("promtool").context("promtool")?))
}

fn files(folder: &str) -> Result<Vec<std::path::PathBuf>> {
    let mut files: Vec<_> = std::fs::read_dir(root().join(folder))
        .context(folder.to_owned())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    Ok(files)
}

fn check_rules() -> Result<()> {
    let mut command = promtool()?;
    command
        .args(["check", "rules"])
        .args(files("observability/prometheus/rules")?);
    tools::run(&mut command).map(drop)
}

fn test_rules() -> Result<()> {
    let mut command = promtool()?;
    command
        .args(["test", "rules"])
        .args(files("observability/prometheus/tests")?);
    tools::run(&mut command).map(drop)
}

fn check_configuration() -> Result<()> {
    for name in ["prometheus.yml", "kubernetes.yml"] {
        let file = root().join("observability/prometheus").join(name);
        let mut command = promtool()?;
        command.args(["check", "config", "--syntax-only"]).arg(file);
        match tools::run(&mut command) {
            // Debian leaves the discovery of clusters out of its build.
            Err(error) if error.to_string().contains("kubernetes_sd_configs not found") => {
                eprintln!("{name} was not checked: this promtool knows no Kubernetes");
            }
            other => drop(other?),
        }
    }
    Ok(())
}

fn known_metrics() -> Result<()> {
    let rules = metrics::rules()?;
    let mut known: BTreeSet<String> = metrics::of_the_code()?;
    known.extend(rules.iter().filter_map(|rule| rule.record.clone()));
    known.extend(
        OF_OTHERS
            .iter()
            .chain(&LIMITS_OF_OTHERS)
            .map(|name| (*name).to_owned()),
    );
    let boards = metrics::dashboards()?;
    ensure!(boards.len() > 80, "only {} queries were found", boards.len());
    let of_boards = boards
        .iter()
        .map(|query| (query.place.as_str(), query.text.as_str()));
    let of_rules = rules.iter().map(|rule| {
        let name = rule.alert.as_deref().or(rule.record.as_deref());
        (name.unwrap_or_default(), rule.expr.as_str())
    });
    let mut unknown = Vec::new();
    for (place, query) in of_boards.chain(of_rules) {
        // Prometheus 3 calls the bucket 10.0 that Prometheus 2 may call 10: an exact whole number finds one or the other.
        let whole = query.split("le=\"").skip(1);
        let mut whole = whole.filter_map(|rest| rest.split('"').next());
        ensure!(
            !whole.any(|bound| bound.bytes().all(|byte| byte.is_ascii_digit())),
            "{place} asks for a bucket that not every Prometheus calls so: {query}"
        );
        let asked = metrics::names(query);
        ensure!(!asked.is_empty(), "{place} asks for nothing: {query}");
        unknown.extend(
            asked
                .difference(&known)
                .map(|name| format!("{place} asks for {name}, which nobody tells")),
        );
    }
    ensure!(unknown.is_empty(), "{}", unknown.join("\n"));
    Ok(())
}

fn runbooks() -> Result<()> {
    let mut tests = String::new();
    for file in files("observability/prometheus/tests")? {
        tests += &std::fs::read_to_string(file)?;
    }
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    for rule in metrics::rules()? {
        let Some(alert) = &rule.alert else { continue };
        let runbook = rule.notes["annotations"]["runbook"].as_str().unwrap_or_default();
        match std::fs::read_to_string(root().join(runbook)) {
            Ok(text) if text.contains(alert.as_str()) => {
                used.insert(runbook.to_owned());
            }
            _ => faults.push(format!("{alert}: {runbook} does not speak of it")),
        }
        if !["page", "ticket"].contains(&rule.notes["labels"]["severity"].as_str().unwrap_or_default()) {
            faults.push(format!("{alert}: nobody knows how urgent it is"));
        }
        if rule.notes["annotations"]["summary"].as_str().is_none() {
            faults.push(format!("{alert}: no summary"));
        }
        if !tests.contains(&format!("alertname: {alert}\n")) {
            faults.push(format!("{alert}: no test"));
        }
    }
    for file in files("docs/runbooks")? {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name != "README.md" && !used.contains(&format!("docs/runbooks/{name}")) {
            faults.push(format!("{name}: no alert leads here"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn boards() -> Result<()> {
    let sources =
        std::fs::read_to_string(root().join("observability/grafana/provisioning/datasources/sources.yml"))?;
    let sources = deploy::render::parse(&sources)?.remove(0);
    let known: BTreeSet<&str> = sources["datasources"]
        .as_array()
        .context("datasources")?
        .iter()
        .filter_map(|source| source["uid"].as_str())
        .collect();
    let mut ids = BTreeSet::new();
    for file in files("observability/grafana/dashboards")? {
        let board: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
        let place = file.display();
        ensure!(
            ids.insert(board["uid"].as_str().unwrap_or_default().to_owned()),
            "{place}: uid twice"
        );
        for panel in board["panels"].as_array().context("panels")? {
            let source = panel["datasource"]["uid"].as_str().unwrap_or_default();
            ensure!(known.contains(source), "{place}: no data source {source}");
            ensure!(
                panel["targets"]
                    .as_array()
                    .is_some_and(|targets| !targets.is_empty()),
                "{place}: an empty panel"
            );
        }
    }
    let wanted: Vec<String> = ["overview", "saga", "gateway", "stores"]
        .iter()
        .map(|name| (*name).to_owned())
        .chain(
            roster::SERVICES
                .iter()
                .map(|service| format!("service-{service}")),
        )
        .collect();
    ensure!(wanted.iter().all(|name| ids.contains(name)), "{ids:?}");
    Ok(())
}
