//! What people and boards look for when something is wrong: fields of log lines, and metrics with their labels.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use roster::SERVICES;
use serde_json::Value;

use crate::Case;
use crate::world::{World, root};

pub(crate) const CASES: &[Case] = &[
    (
        "telemetry: log lines have the fields that people search by",
        log_fields,
    ),
    (
        "telemetry: each service counts the events that it says it publishes",
        published,
    ),
    (
        "telemetry: each service has the metrics that boards and alerts read",
        metrics,
    ),
];

/// The lines of a process that were written whole.
pub(crate) fn lines(world: &World, process: &str) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(world.stack.plan().log(process))?;
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn log_fields(world: &World) -> Result<()> {
    for service in SERVICES {
        let lines = lines(world, service)?;
        ensure!(!lines.is_empty(), "{service} is silent");
        for line in &lines {
            let text = |name: &str| {
                line[name]
                    .as_str()
                    .with_context(|| format!("{service} without {name}: {line}"))
            };
            let time = text("time")?;
            ensure!(
                time.len() == 27 && time.ends_with('Z'),
                "{service} has the time {time}"
            );
            ensure!(
                ["ERROR", "WARN", "INFO", "DEBUG"].contains(&text("level")?),
                "{line}"
            );
            ensure!(text("service")? == service, "{line}");
            text("target")?;
            text("message")?;
            ensure!(
                line["trace_id"].is_null() || text("trace_id")?.len() == 32,
                "{line}"
            );
            ensure!(
                line["correlation_id"].is_null() || !text("correlation_id")?.is_empty(),
                "{line}"
            );
        }
    }
    Ok(())
}

/// One line a metric of the service: its name, its labels.
fn contract(service: &str) -> PathBuf {
    root().join("subgraphs").join(service).join("metrics.txt")
}

/// What a service's metrics say now.
fn scraped(world: &World, service: &str) -> Result<String> {
    let (address, _) = world.stack.plan().readiness(service)?;
    let answer = dev_stack::http::get(address, "/metrics").context("no metrics")?;
    Ok(answer.body)
}

fn metrics(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        for method in ["pm_mercato_slow", "pm_card_chargeDeclined"] {
            let (ada, variant) = (world.customer().await?, world.product(5).await?);
            let order = ada.buy(&variant, 1, method).await?;
            ada.watch(&order, 0).await?;
        }
        anyhow::Ok(())
    })?;
    let mut missing = Vec::new();
    for service in SERVICES {
        let told = scraped(world, service)?;
        let seen: BTreeSet<String> = told.lines().filter_map(metric).collect();
        let file = contract(service);
        if std::env::var_os("UPDATE_METRICS").is_some() {
            let all: Vec<_> = seen.iter().map(String::as_str).collect();
            std::fs::write(&file, all.join("\n") + "\n")?;
        }
        let promised = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let gone = promised.lines().filter(|line| !seen.contains(*line));
        missing.extend(gone.map(|line| format!("{service} {line}")));
    }
    ensure!(missing.is_empty(), "gone, or with other labels: {missing:#?}");
    Ok(())
}

/// From the first moment on: a type that is missing, or that nobody knows of, is named.
fn published(world: &World) -> Result<()> {
    for service in roster::all() {
        let told = scraped(world, &service.name)?;
        let counted: BTreeSet<&str> = told
            .lines()
            .filter(|line| line.starts_with("mercato_events_published_total{"))
            .filter_map(|line| line.split_once("type=\"")?.1.split('"').next())
            .collect();
        let said: BTreeSet<&str> = service.events.publishes.iter().map(String::as_str).collect();
        ensure!(
            counted == said,
            "{}: counts {counted:?}, says {said:?}",
            service.name
        );
    }
    Ok(())
}

/// A sample's metric with the names of its labels; nothing for comments and for all but one sample of a histogram.
fn metric(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(['{', ' ']).filter(|_| !line.starts_with('#'))?;
    if name.ends_with("_bucket") || name.ends_with("_sum") {
        return None;
    }
    let labels = line.contains('{').then(|| rest.rsplit_once('}')).flatten();
    let labels: Vec<_> = labels
        .map(|(labels, _)| {
            labels
                .split("\",")
                .filter_map(|pair| pair.split('=').next())
                .collect()
        })
        .unwrap_or_default();
    Some(format!("{name} {}", labels.join(",")).trim_end().to_owned())
}
