//! Which metrics dashboards and rules ask for, and which ones there are.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::root;

/// Words of the query language that look like names.
const WORDS: [&str; 25] = [
    "abs",
    "and",
    "avg",
    "bool",
    "by",
    "changes",
    "clamp_min",
    "count",
    "group_left",
    "histogram_quantile",
    "ignoring",
    "increase",
    "label_replace",
    "le",
    "max",
    "max_over_time",
    "min",
    "offset",
    "on",
    "or",
    "rate",
    "sum",
    "topk",
    "unless",
    "without",
];

/// Names of metrics in a query: what is neither a label, a word of the language, a number nor a time.
pub fn names(query: &str) -> BTreeSet<String> {
    let mut plain = String::new();
    // Labels live in braces and after `by`, `on`, `without`, `ignoring`, `group_left`; texts in quotes.
    let mut depth = 0_u32;
    let mut quoted = false;
    for character in query.chars() {
        match character {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ if !quoted && depth == 0 => plain.push(character),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let mut skip_list = false;
    let mut token = String::new();
    for character in plain.chars().chain([' ']) {
        if character.is_ascii_alphanumeric() || character == '_' || character == ':' {
            token.push(character);
            continue;
        }
        if !token.is_empty() {
            let word = std::mem::take(&mut token);
            if ["by", "on", "without", "ignoring", "group_left"].contains(&word.as_str()) {
                skip_list = true;
            } else if !skip_list && is_name(&word) {
                found.insert(word);
            }
        }
        if character == ')' {
            skip_list = false;
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic())
        && !WORDS.contains(&word)
        && !word.starts_with("inf")
}

/// A query of a dashboard, with the place it stands.
#[derive(Debug, Clone)]
pub struct Query {
    /// Dashboard and panel.
    pub place: String,
    /// The expression.
    pub text: String,
}

/// Every query of every dashboard.
pub fn dashboards() -> Result<Vec<Query>> {
    let folder = root().join("observability/grafana/dashboards");
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let board: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)
            .with_context(|| path.display().to_string())?;
        for panel in board["panels"].as_array().into_iter().flatten() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                // Panels of logs and traces ask other stores.
                if let Some(text) = target["expr"]
                    .as_str()
                    .filter(|_| target["datasource"]["type"] == "prometheus")
                {
                    queries.push(Query {
                        place: format!("{}: {}", text_of(&board["title"]), text_of(&panel["title"])),
                        text: text.to_owned(),
                    });
                }
            }
        }
    }
    Ok(queries)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A rule of Prometheus: its name and expression; recording rules make metrics.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Of a recording rule.
    pub record: Option<String>,
    /// Of an alert.
    pub alert: Option<String>,
    /// What it evaluates.
    pub expr: String,
    /// Labels and annotations together.
    pub notes: Value,
}

/// Every rule.
pub fn rules() -> Result<Vec<Rule>> {
    let mut all = Vec::new();
    let folder = root().join("observability/prometheus/rules");
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let documents = crate::render::parse(&std::fs::read_to_string(&path)?)?;
        let groups = documents
            .iter()
            .flat_map(|document| document["groups"].as_array().into_iter().flatten());
        for rule in groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()) {
            all.push(Rule {
                record: rule["record"].as_str().map(str::to_owned),
                alert: rule["alert"].as_str().map(str::to_owned),
                expr: text_of(&rule["expr"]).to_owned(),
                notes: serde_json::json!({"labels": rule["labels"], "annotations": rule["annotations"]}),
            });
        }
    }
    Ok(all)
}

/// Names of metrics in our sources, with those a histogram adds.
pub fn of_the_code() -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for folder in ["crates", "subgraphs"] {
        collect(&root().join(folder), &mut found)?;
    }
    let histograms: Vec<String> = found
        .iter()
        .filter(|name| name.ends_with("_seconds"))
        .flat_map(|name| ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")))
        .collect();
    found.extend(histograms);
    Ok(found)
}

/// Texts that look like a metric's name, in files that make metrics.
fn collect(folder: &Path, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = std::fs::read_to_string(&path)?;
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            if !code.contains("metrics") {
                continue;
            }
            let texts = code.split('"').skip(1).step_by(2);
            found.extend(
                texts
                    .filter(|text| {
                        text.contains('_')
                            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                    })
                    .map(str::to_owned),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_functions_and_times_are_no_metrics() {
        let query = r#"sum by (service, le) (rate(http_request_duration_seconds_bucket{listener="graphql",status=~"5.."}[5m]))
            / on (service) group_left (x) up > 0.5 and histogram_quantile(0.99, mercato:ratio5m) or vector(1)"#;
        let found: Vec<String> = names(query).into_iter().collect();
        assert_eq!(
            found,
            [
                "http_request_duration_seconds_bucket",
                "mercato:ratio5m",
                "up",
                "vector"
            ]
        );
    }
}
