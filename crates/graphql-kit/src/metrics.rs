//! What is counted: operations by name, type and outcome; open sockets and subscriptions; socket closes by code.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use prometheus::{HistogramVec, IntCounterVec, IntGauge};

use crate::document::Checked;
use crate::error::Code;

/// Clients choose operation names, so only the first so many become labels of their own.
const MAX_NAMES: usize = 200;
const MAX_NAME_LEN: usize = 80;
static NAMES: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Handles on the registered metrics; cheap to clone, shared by all endpoints of the process.
#[derive(Clone)]
pub(crate) struct Metrics {
    operations: IntCounterVec,
    seconds: HistogramVec,
    subscriptions: IntGauge,
    sockets: IntGauge,
    closes: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let gauge = |name, help| service_kit::metrics::gauge(name, help, &[]).with_label_values::<&str>(&[]);
        Self {
            operations: service_kit::metrics::counter(
                "graphql_operations_total",
                "Operations by name, type and outcome.",
                &["operation", "type", "outcome"],
            ),
            seconds: service_kit::metrics::histogram(
                "graphql_operation_seconds",
                "Time to run an operation.",
                &["type"],
            ),
            subscriptions: gauge("graphql_subscriptions_open", "Subscriptions that run now."),
            sockets: gauge("graphql_sockets_open", "WebSockets that are open now."),
            closes: service_kit::metrics::counter(
                "graphql_socket_closes_total",
                "WebSockets that the server closed, by code.",
                &["code"],
            ),
        }
    }

    /// Counts a document that was refused before it ran.
    pub(crate) fn refused(&self) {
        self.operations
            .with_label_values(&["", "unknown", "refused"])
            .inc();
    }

    /// Counts a request that was refused unread, because the process has fallen behind.
    pub(crate) fn shed(&self) {
        self.operations.with_label_values(&["", "unknown", "shed"]).inc();
    }

    /// Counts an operation that ran, and how long it took.
    pub(crate) fn ran(&self, checked: &Checked, response: &Response, took: Duration) {
        self.count(checked, outcome(&response.errors));
        let labels = [kind(checked.operation_type)];
        service_kit::metrics::observe(&self.seconds, &labels, took.as_secs_f64());
    }

    /// Counts an operation by how it ended.
    pub(crate) fn count(&self, checked: &Checked, outcome: &'static str) {
        let name = label(checked.shown_name());
        self.operations
            .with_label_values(&[name.as_str(), kind(checked.operation_type), outcome])
            .inc();
    }

    /// Counts a subscription for as long as the guard lives.
    pub(crate) fn subscription(&self) -> Open {
        Open::enter(&self.subscriptions)
    }

    /// Counts a socket for as long as the guard lives.
    pub(crate) fn socket(&self) -> Open {
        Open::enter(&self.sockets)
    }

    /// Counts a socket that we closed.
    pub(crate) fn closed(&self, code: u16) {
        self.closes.with_label_values(&[code.to_string().as_str()]).inc();
    }
}

/// Something open, counted in a gauge until dropped.
pub(crate) struct Open(IntGauge);

impl Open {
    fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// `ok`, `rejected` when all that is wrong is the client's, `error` when something of ours failed: only the last
/// counts against the promise that the graph answers.
fn outcome(errors: &[ServerError]) -> &'static str {
    let is_ours = |error: &ServerError| {
        let code = error.extensions.as_ref().and_then(|values| values.get("code"));
        match code {
            Some(Value::String(code)) => {
                [Code::Internal.as_str(), Code::Unavailable.as_str()].contains(&code.as_str())
            }
            // Without a code: at a path a resolver failed, elsewhere the document could not run.
            _ => !error.path.is_empty(),
        }
    };
    if errors.is_empty() {
        "ok"
    } else if errors.iter().any(is_ours) {
        "error"
    } else {
        "rejected"
    }
}

const fn kind(operation_type: OperationType) -> &'static str {
    match operation_type {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

fn label(name: &str) -> String {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if names.contains(name) {
        return name.to_owned();
    }
    if names.len() >= MAX_NAMES || name.len() > MAX_NAME_LEN {
        return "other".to_owned();
    }
    names.insert(name.to_owned());
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;

    use super::*;
    use crate::error::ApiError;

    #[test]
    fn a_clients_fault_is_not_ours() {
        let with = crate::http::server_error;
        let mut resolver = ServerError::new("relation does not exist", None);
        resolver.path = vec![PathSegment::Field("me".into())];
        assert_eq!(outcome(&[]), "ok");
        assert_eq!(outcome(&[with(ApiError::forbidden())]), "rejected");
        assert_eq!(outcome(&[ServerError::new("Unknown field", None)]), "rejected");
        assert_eq!(
            outcome(&[
                with(ApiError::forbidden()),
                with(ApiError::unavailable("product"))
            ]),
            "error"
        );
        assert_eq!(outcome(&[resolver]), "error");
    }

    #[test]
    fn clients_cannot_make_labels_without_end() {
        let labels: HashSet<String> = (0..1000).map(|n| label(&format!("op{n}"))).collect();
        assert!(labels.len() <= MAX_NAMES + 1);
        assert!(labels.contains("other"));
        assert_eq!(label(&"x".repeat(100)), "other");
    }
}
