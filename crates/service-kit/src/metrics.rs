//! Prometheus metrics: one registry per process, names registered on first use.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use opentelemetry::trace::TraceId;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};
use tower::{Layer, Service};

use crate::exemplars::{self, Exemplar};
use crate::trace;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
static KNOWN: LazyLock<Mutex<HashMap<String, Metric>>> = LazyLock::new(Mutex::default);

/// Seconds: from a cache hit to the longest call allowed.
pub(crate) const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

#[derive(Clone)]
enum Metric {
    Counter(IntCounterVec),
    Gauge(IntGaugeVec),
    Histogram(HistogramVec),
}

/// The registry behind `/metrics`.
pub fn registry() -> &'static Registry {
    &REGISTRY
}

/// A counter with these labels; asking again for the name gives the same one.
pub fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    let make = || IntCounterVec::new(Opts::new(name, help), labels).map(Metric::Counter);
    match obtain(name, make) {
        Some(Metric::Counter(metric)) => metric,
        _ => unregistered(name, || {
            IntCounterVec::new(Opts::new("unregistered", help), labels)
        }),
    }
}

/// A gauge with these labels; asking again for the name gives the same one.
pub fn gauge(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    let make = || IntGaugeVec::new(Opts::new(name, help), labels).map(Metric::Gauge);
    match obtain(name, make) {
        Some(Metric::Gauge(metric)) => metric,
        _ => unregistered(name, || IntGaugeVec::new(Opts::new("unregistered", help), labels)),
    }
}

/// A histogram of seconds with these labels; asking again for the name gives the same one.
pub fn histogram(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let opts = |name: &str| HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
    match obtain(name, || {
        HistogramVec::new(opts(name), labels).map(Metric::Histogram)
    }) {
        Some(Metric::Histogram(metric)) => metric,
        _ => unregistered(name, || HistogramVec::new(opts("unregistered"), labels)),
    }
}

/// Times something done for the current span. If that is sampled, its trace is an example of how long it took.
pub fn observe(histogram: &HistogramVec, labels: &[&str], seconds: f64) {
    timed(trace::current_sampled(), histogram, labels, seconds);
}

/// Times something done on behalf of an earlier request, which `traceparent` names.
pub fn observe_for(traceparent: Option<&str>, histogram: &HistogramVec, labels: &[&str], seconds: f64) {
    timed(traceparent.and_then(trace::sampled), histogram, labels, seconds);
}

fn timed(trace: Option<TraceId>, histogram: &HistogramVec, labels: &[&str], seconds: f64) {
    histogram.with_label_values(labels).observe(seconds);
    if let Some(trace) = trace {
        let exemplar = Exemplar {
            trace,
            seconds,
            at: SystemTime::now(),
        };
        exemplars::keep(histogram, labels, exemplar);
    }
}

fn obtain(name: &str, make: impl FnOnce() -> prometheus::Result<Metric>) -> Option<Metric> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(metric) = known.get(name) {
        return Some(metric.clone());
    }
    let metric = make().ok()?;
    let registered = match &metric {
        Metric::Counter(metric) => REGISTRY.register(Box::new(metric.clone())),
        Metric::Gauge(metric) => REGISTRY.register(Box::new(metric.clone())),
        Metric::Histogram(metric) => REGISTRY.register(Box::new(metric.clone())),
    };
    registered.ok()?;
    known.insert(name.to_owned(), metric.clone());
    Some(metric)
}

/// A metric must never stop a service: with a name already taken by another kind it counts into the void, loudly.
fn unregistered<M>(name: &str, make: impl FnOnce() -> prometheus::Result<M>) -> M {
    tracing::error!(metric = name, "metric name is invalid or used for two kinds");
    #[expect(
        clippy::expect_used,
        reason = "label names are literals: it fails on the first start or never"
    )]
    make().expect("literal label names are valid")
}

#[derive(Clone)]
struct Red {
    listener: &'static str,
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGaugeVec,
}

/// Rate, errors and duration by route template, for a listener called `listener`.
/// [`crate::Listener::instrumented`] adds it: routers need not.
pub fn http_layer(
    listener: &'static str,
) -> impl Layer<
    Route,
    Service = impl Service<
        Request,
        Response: IntoResponse + 'static,
        Error: Into<std::convert::Infallible> + 'static,
        Future: Send + 'static,
    > + Clone
              + Send
              + Sync
              + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let labels = ["listener", "method", "route"];
    let red = Red {
        listener,
        requests: counter(
            "http_requests_total",
            "Requests answered.",
            &["listener", "method", "route", "status"],
        ),
        seconds: histogram(
            "http_request_duration_seconds",
            "Time to answer a request.",
            &labels,
        ),
        in_flight: gauge(
            "http_requests_in_flight",
            "Requests being answered.",
            &["listener"],
        ),
    };
    axum::middleware::from_fn_with_state::<_, _, (State<Red>, Request)>(red, measure)
}

async fn measure(State(red): State<Red>, request: Request, next: Next) -> Response {
    // The template, never the path: ids in labels would grow without bound.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let method = method_label(request.method());
    let in_flight = InFlight::enter(red.in_flight.with_label_values(&[red.listener]));
    let started = Instant::now();
    let response = next.run(request).await;
    drop(in_flight);
    observe(
        &red.seconds,
        &[red.listener, method, &route],
        started.elapsed().as_secs_f64(),
    );
    red.requests
        .with_label_values(&[red.listener, method, &route, response.status().as_str()])
        .inc();
    response
}

fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// Counts down also when the client goes away and the handler is dropped.
struct InFlight(prometheus::IntGauge);

impl InFlight {
    fn enter(gauge: prometheus::IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_the_same_metric() {
        counter("test_same_total", "help", &["kind"])
            .with_label_values(&["a"])
            .inc();
        let again = counter("test_same_total", "help", &["kind"]);
        assert_eq!(again.with_label_values(&["a"]).get(), 1);
    }

    #[test]
    fn a_name_of_another_kind_does_not_panic() {
        counter("test_clash", "help", &[])
            .with_label_values::<&str>(&[])
            .inc();
        gauge("test_clash", "help", &[])
            .with_label_values::<&str>(&[])
            .set(5);
        histogram("test_clash", "help", &[])
            .with_label_values::<&str>(&[])
            .observe(0.1);
        assert_eq!(
            counter("test_clash", "help", &[])
                .with_label_values::<&str>(&[])
                .get(),
            1
        );
    }
}
