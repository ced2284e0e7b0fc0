//! Where the system under test sends its spans: OTLP over HTTP, as the collector of a cluster takes it. Keeps the spans
//! of the traces that a test began, and no others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A batch of the router holds at most some hundred spans.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// A span as it was exported.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: otlp::span::SpanKind,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) begun_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) is_error: bool,
    pub(crate) attributes: HashMap<String, String>,
}

#[derive(Default)]
struct Seen {
    /// By trace id.
    traces: HashMap<String, Vec<Span>>,
    /// What could not be read.
    refused: usize,
}

/// A running collector.
pub(crate) struct Collector {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collector {
    pub(crate) fn start(runtime: &Runtime) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", socket.local_addr()?);
        let router = Router::new()
            .fallback(take)
            .layer(DefaultBodyLimit::max(MAX_BATCH_BYTES))
            .with_state(Arc::clone(&seen));
        runtime.spawn(async move { axum::serve(socket, router).await });
        Ok(Self { url, seen })
    }

    /// Keeps what comes of this trace from now on.
    pub(crate) fn keep(&self, trace: &str) {
        lock(&self.seen).traces.insert(trace.to_owned(), Vec::new());
    }

    /// The spans of a trace so far, oldest first.
    pub(crate) fn spans(&self, trace: &str) -> Vec<Span> {
        let mut spans = lock(&self.seen).traces.get(trace).cloned().unwrap_or_default();
        spans.sort_by_key(|span| (span.begun_ns, span.ended_ns));
        spans
    }

    /// How many batches could not be read.
    pub(crate) fn refused(&self) -> usize {
        lock(&self.seen).refused
    }
}

async fn take(State(seen): State<Arc<Mutex<Seen>>>, body: Bytes) -> StatusCode {
    let mut seen = lock(&seen);
    let Ok(batch) = ExportTraceServiceRequest::decode(body) else {
        seen.refused += 1;
        return StatusCode::BAD_REQUEST;
    };
    for of_process in batch.resource_spans {
        let resource = of_process.resource.map(|resource| resource.attributes);
        let service = texts(resource.unwrap_or_default()).remove("service.name");
        for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            if let Some(trace) = seen.traces.get_mut(&hex::encode(&span.trace_id)) {
                trace.push(read(service.clone().unwrap_or_default(), span));
            }
        }
    }
    StatusCode::OK
}

fn read(service: String, span: otlp::Span) -> Span {
    Span {
        service,
        kind: span.kind(),
        id: hex::encode(&span.span_id),
        parent: hex::encode(&span.parent_span_id),
        begun_ns: span.start_time_unix_nano,
        ended_ns: span.end_time_unix_nano,
        is_error: span
            .status
            .is_some_and(|status| status.code() == otlp::status::StatusCode::Error),
        attributes: texts(span.attributes),
        name: span.name,
    }
}

fn texts(attributes: Vec<KeyValue>) -> HashMap<String, String> {
    let text = |value: AnyValue| {
        Some(match value.value? {
            any_value::Value::StringValue(text) => text,
            any_value::Value::BoolValue(value) => value.to_string(),
            any_value::Value::IntValue(value) => value.to_string(),
            any_value::Value::DoubleValue(value) => value.to_string(),
            _ => return None,
        })
    };
    attributes
        .into_iter()
        .filter_map(|pair| Some((pair.key, text(pair.value?)?)))
        .collect()
}
