//! Logs as JSON lines on stdout, and spans to OTLP when an endpoint is configured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::statements::{self, Statements};
use crate::{Env, correlation};

/// Spans beyond this many waiting are dropped: telemetry never holds up a request.
const QUEUE: usize = 2048;
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
const DEFAULT_FILTER: &str = "info";
/// Four spans for each value loaded, of which none says more than the span around it.
const NOISE: &str = "async_graphql::dataloader=off";

/// What to log and where spans go.
pub(crate) struct Settings {
    filter: EnvFilter,
    otlp: Option<url::Url>,
}

impl Settings {
    /// Reads `LOG` and `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) fn from_env(env: &mut Env) -> Self {
        let default = || EnvFilter::new(DEFAULT_FILTER);
        let filter = env.optional("LOG", default()).unwrap_or_else(default);
        let directives = [NOISE, statements::DIRECTIVE].into_iter().flat_map(str::parse);
        let filter = directives.fold(filter, EnvFilter::add_directive);
        Self {
            filter,
            otlp: env.maybe("OTEL_EXPORTER_OTLP_ENDPOINT").flatten(),
        }
    }
}

/// Keeps the exporter alive until the process ends.
pub(crate) struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// Sends what is queued, for at most two seconds.
    pub(crate) async fn flush(self) {
        let flushed =
            tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(Duration::from_secs(2)));
        drop(flushed.await);
    }
}

/// Installs the subscriber. A second call in one process keeps the first.
pub(crate) fn init(service: &'static str, settings: Settings) -> Telemetry {
    let (provider, fault) = match tracer(service, settings.otlp.as_ref()) {
        Ok(provider) => (provider, None),
        Err(error) => (untraced(), Some(error)),
    };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("mercato"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(statements::is_other));
    let logs = tracing_subscriber::fmt::layer()
        .event_format(JsonLines { service })
        .with_filter(filter_fn(statements::is_other));
    // An error means that a test installed its own before.
    drop(
        tracing_subscriber::registry()
            .with(settings.filter)
            .with(Statements::new())
            .with(spans)
            .with(logs)
            .try_init(),
    );
    if let Some(error) = fault {
        tracing::error!(%error, "spans are not exported");
    }
    Telemetry(provider)
}

/// Trace ids without exporting: they still tie log lines together across services, and a caller's wish to be traced is
/// passed on to those that export.
fn untraced() -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .build()
}

fn tracer(service: &'static str, endpoint: Option<&url::Url>) -> anyhow::Result<SdkTracerProvider> {
    let Some(endpoint) = endpoint else {
        return Ok(untraced());
    };
    let traces = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(traces)
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let exporter = OnRuntime {
        inner: Arc::new(exporter),
        runtime: tokio::runtime::Handle::current(),
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_scheduled_delay(Duration::from_secs(1))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_resource(Resource::builder().with_service_name(service).build())
        .with_span_processor(
            BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
        )
        .build())
}

/// The batch processor exports from a thread of its own, where the HTTP client would find no runtime.
#[derive(Debug)]
struct OnRuntime {
    inner: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: tokio::runtime::Handle,
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let inner = self.inner.clone();
        let sent = self.runtime.spawn(async move { inner.export(batch).await });
        sent.await
            .unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    /// Without it spans would not say whose they are.
    fn set_resource(&mut self, resource: &Resource) {
        // It comes before the first export: nobody else holds the exporter yet.
        if let Some(exporter) = Arc::get_mut(&mut self.inner) {
            exporter.set_resource(resource);
        }
    }
}

/// One JSON object per event: time, level, service, message, ids, then the event's own fields.
struct JsonLines {
    service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let now = crate::Clock::system()
            .now()
            .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        line.insert("time".to_owned(), now.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("service".to_owned(), self.service.into());
        line.insert("target".to_owned(), event.metadata().target().into());
        if let Some(id) = correlation::current() {
            line.insert("correlation_id".to_owned(), id.into());
        }
        if let Some(id) = ctx.lookup_current().and_then(|span| trace_id(&span.id())) {
            line.insert("trace_id".to_owned(), id.into());
        }
        event.record(&mut Fields(&mut line));
        let text = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(out, "{text}")
    }
}

fn trace_id(span: &tracing::span::Id) -> Option<String> {
    let context =
        tracing::dispatcher::get_default(|dispatch| tracing_opentelemetry::get_otel_context(span, dispatch))?;
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        // An event's own field must not pass for the line's service or ids.
        let name = match field.name() {
            name @ ("time" | "level" | "service" | "target" | "correlation_id" | "trace_id")
                if self.0.contains_key(name) =>
            {
                format!("field_{name}")
            }
            name => name.trim_start_matches("log.").to_owned(),
        };
        self.0.insert(name, value);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}
