//! A service's board in Grafana: what all have, what its stores and events give, and what its `service.toml` adds. Pure.

use anyhow::Result;
use roster::Service;
use serde_json::{Value, json};

/// Columns of a board.
const WIDTH: u16 = 24;
const HEIGHT: u16 = 7;

/// One panel: title, unit, and each line's query and name.
struct Panel {
    title: String,
    unit: String,
    lines: Vec<(String, String)>,
}

fn panel(title: &str, unit: &str, lines: &[(&str, &str)]) -> Panel {
    let owned = |(query, legend): &(&str, &str)| ((*query).to_owned(), (*legend).to_owned());
    Panel {
        title: title.to_owned(),
        unit: unit.to_owned(),
        lines: lines.iter().map(owned).collect(),
    }
}

/// The board's file.
pub(super) fn of(service: &Service) -> Result<String> {
    let name = &service.name;
    let (wide, narrow) = panels(service);
    let mut all = Vec::new();
    let mut y = 0;
    for (panels, width) in [(wide, 12), (narrow, 8)] {
        for row in panels.chunks(usize::from(WIDTH / width)) {
            for (panel, x) in row.iter().zip((0..).step_by(usize::from(width))) {
                let place = json!({"x": x, "y": y, "w": width, "h": HEIGHT});
                all.push(graph(all.len() + 1, &place, panel, name));
            }
            y += HEIGHT;
        }
    }
    all.push(log(all.len() + 1, y, name));
    let board = json!({
        "uid": format!("service-{name}"),
        "title": format!("Service: {name}"),
        "tags": ["mercato", "service"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": false,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Mercato", "tags": ["mercato"], "asDropdown": true}],
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": all,
    });
    Ok(format!("{}\n", one_space(&board)?))
}

/// The two that are looked at first, and the others. `@` stands for the service.
fn panels(service: &Service) -> (Vec<Panel>, Vec<Panel>) {
    let wide = vec![
        panel(
            "Operations",
            "reqps",
            &[(
                r#"sum by (operation, outcome) (rate(graphql_operations_total{service="@"}[5m]))"#,
                "{{operation}} {{outcome}}",
            )],
        ),
        panel(
            "Time of an operation",
            "s",
            &[
                (
                    r#"histogram_quantile(0.5, sum by (le, type) (rate(graphql_operation_seconds_bucket{service="@"}[5m])))"#,
                    "{{type}} half",
                ),
                (
                    r#"histogram_quantile(0.99, sum by (le, type) (rate(graphql_operation_seconds_bucket{service="@"}[5m])))"#,
                    "{{type}} 99 %",
                ),
            ],
        ),
    ];
    let mut narrow = vec![
        panel(
            "Requests by listener and status",
            "reqps",
            &[(
                r#"sum by (listener, status) (rate(http_requests_total{service="@",listener!="ops"}[5m]))"#,
                "{{listener}} {{status}}",
            )],
        ),
        panel(
            "Time to answer by route",
            "s",
            &[(
                r#"histogram_quantile(0.95, sum by (le, route) (rate(http_request_duration_seconds_bucket{service="@",listener!="ops"}[5m])))"#,
                "{{route}} 95 %",
            )],
        ),
        panel(
            "In flight",
            "short",
            &[(
                r#"sum by (listener) (http_requests_in_flight{service="@",listener!="ops"})"#,
                "{{listener}}",
            )],
        ),
    ];
    if !service.calls.is_empty() {
        narrow.extend(calls());
    }
    if !service.events.consumes.is_empty() {
        narrow.extend(heard());
    }
    if service.is_publisher() {
        narrow.extend(told());
    }
    if service.is_live() {
        narrow.push(panel(
            "Subscriptions and sockets",
            "short",
            &[
                (r#"sum(graphql_subscriptions_open{service="@"})"#, "subscriptions"),
                (r#"sum(graphql_sockets_open{service="@"})"#, "sockets"),
            ],
        ));
    }
    narrow.extend(service.panels.iter().map(|own| {
        let line = (own.query.as_str(), own.legend.as_str());
        panel(&own.title, &own.unit, &[line])
    }));
    narrow.push(panel(
        "Memory",
        "bytes",
        &[(r#"process_resident_memory_bytes{service="@"}"#, "{{instance}}")],
    ));
    narrow.push(panel(
        "Descriptors",
        "short",
        &[(r#"process_open_fds{service="@"}"#, "{{instance}}")],
    ));
    (wide, narrow)
}

fn calls() -> [Panel; 2] {
    [
        panel(
            "Calls to other services",
            "reqps",
            &[(
                r#"sum by (callee, outcome) (rate(service_calls_total{service="@"}[5m]))"#,
                "{{callee}} {{outcome}}",
            )],
        ),
        panel(
            "Time of these calls",
            "s",
            &[(
                r#"histogram_quantile(0.95, sum by (le, callee) (rate(service_call_seconds_bucket{service="@"}[5m])))"#,
                "{{callee}} 95 %",
            )],
        ),
    ]
}

fn heard() -> [Panel; 2] {
    [
        panel(
            "Events that wait to be applied",
            "short",
            &[(r#"max(mercato_inbox_pending{service="@"})"#, "waiting")],
        ),
        panel(
            "Events applied",
            "ops",
            &[(
                r#"sum by (outcome) (rate(mercato_events_handled_total{service="@"}[5m]))"#,
                "{{outcome}}",
            )],
        ),
    ]
}

fn told() -> [Panel; 2] {
    [
        panel(
            "Outbox",
            "short",
            &[
                (r#"max(mercato_outbox_unpublished{service="@"})"#, "waiting"),
                (
                    r#"max(mercato_outbox_oldest_age_seconds{service="@"})"#,
                    "age of the oldest, s",
                ),
            ],
        ),
        panel(
            "Events published",
            "ops",
            &[(
                r#"sum by (type, outcome) (rate(mercato_events_published_total{service="@"}[5m]))"#,
                "{{type}} {{outcome}}",
            )],
        ),
    ]
}

fn graph(id: usize, place: &Value, panel: &Panel, service: &str) -> Value {
    let source = json!({"type": "prometheus", "uid": "prometheus"});
    let targets = panel
        .lines
        .iter()
        .zip('A'..='Z')
        .map(|((query, legend), letter)| {
            json!({
                "refId": letter.to_string(),
                "datasource": source,
                "expr": query.replace('@', service),
                "legendFormat": legend,
                // A point leads to the trace of one who was as slow.
                "exemplar": query.contains("_bucket"),
            })
        });
    json!({
        "id": id,
        "gridPos": place,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "custom": {"fillOpacity": 10, "stacking": {"mode": "none"}},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    })
}

fn log(id: usize, y: u16, service: &str) -> Value {
    let source = json!({"type": "loki", "uid": "loki"});
    json!({
        "id": id,
        "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 8},
        "type": "logs",
        "title": "Log",
        "datasource": source,
        "targets": [{
            "refId": "A",
            "datasource": source,
            "expr": format!("{{service=\"{service}\"}} | json"),
        }],
        "options": {"showTime": true, "wrapLogMessage": true, "enableLogDetails": true},
    })
}

/// JSON at a margin of one space a level, as the boards that people draw.
fn one_space(value: &Value) -> Result<String> {
    let mut bytes = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, format);
    serde::Serialize::serialize(value, &mut serializer)?;
    Ok(String::from_utf8(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_has_what_the_service_has_and_no_gaps() {
        let plain = Service {
            name: "plain".to_owned(),
            ..Service::default()
        };
        let board: Value = serde_json::from_str(&of(&plain).unwrap()).unwrap();
        let titles: Vec<&str> = board["panels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|panel| panel["title"].as_str().unwrap())
            .collect();
        assert_eq!(titles.len(), 8);
        assert_eq!(titles.first(), Some(&"Operations"));
        assert_eq!(titles.last(), Some(&"Log"));
        let text = of(roster::find("order").unwrap()).unwrap();
        for wanted in ["Outbox", "Calls to other services", "Subscriptions and sockets"] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains('@'));
        let last = &board["panels"][7]["gridPos"];
        assert_eq!(last["y"], 21);
    }
}
