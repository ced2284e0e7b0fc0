//! W3C trace context, so that one trace spans processes, outbox rows and messages.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that carries it.
pub const HEADER: &str = "traceparent";

/// The current span as a `traceparent` value; `None` outside a span.
pub fn current_traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// A span as a `traceparent` value; `None` if it is not traced.
pub fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            span.trace_id(),
            span.span_id(),
            span.trace_flags().to_u8()
        )
    })
}

/// Makes `span` a child of the remote span that `traceparent` names. A malformed value is ignored. Call it before
/// anything is logged within the span.
pub fn with_parent(span: &Span, traceparent: Option<&str>) {
    if let Some(parent) = traceparent.and_then(parse) {
        // Fails only when no trace layer is installed, as in tests: then there is nothing to link.
        drop(span.set_parent(Context::new().with_remote_span_context(parent)));
    }
}

/// Ties `span` to one that is not its parent, such as the batch that did its work.
pub fn link(span: &Span, to: &Span) {
    let context = to.context().span().span_context().clone();
    if context.is_valid() {
        span.add_link(context);
    }
}

/// The current span, if it belongs to the trace of `stored`; else `stored` itself. For what is done on behalf of an
/// earlier request, whoever brought the news.
pub fn joined(stored: Option<&str>) -> Option<String> {
    let here = current_traceparent();
    match stored.filter(|text| parse(text).is_some()) {
        Some(stored) if here.as_deref().and_then(trace_id) != trace_id(stored) => Some(stored.to_owned()),
        _ => here,
    }
}

/// The trace's part of a `traceparent`.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1)
}

/// The trace that a `traceparent` names, if it is recorded.
pub(crate) fn sampled(traceparent: &str) -> Option<TraceId> {
    recorded(&parse(traceparent)?)
}

/// The current span's trace, if it is recorded.
pub(crate) fn current_sampled() -> Option<TraceId> {
    recorded(Span::current().context().span().span_context())
}

fn recorded(span: &SpanContext) -> Option<TraceId> {
    (span.is_valid() && span.is_sampled()).then(|| span.trace_id())
}

fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len());
    if lengths != (2, 32, 16, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_the_example_of_the_specification() {
        let context = parse(GOOD).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled() && context.is_remote());
    }

    #[test]
    fn what_is_not_recorded_is_nobodys_example() {
        assert!(sampled(GOOD).is_some());
        assert_eq!(sampled(&GOOD.replace("-01", "-00")), None);
        assert_eq!(sampled("nonsense"), None);
    }

    #[test]
    fn ignores_what_is_malformed() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-zzf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn survives_without_a_subscriber() {
        with_parent(&Span::current(), Some(GOOD));
        assert_eq!(current_traceparent(), None);
    }

    fn traced(work: impl FnOnce()) {
        use opentelemetry::trace::TracerProvider;
        use tracing_subscriber::layer::SubscriberExt;
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    }

    #[test]
    fn a_child_keeps_the_trace_of_its_remote_parent() {
        traced(|| {
            let span = tracing::info_span!("work");
            with_parent(&span, Some(GOOD));
            let seen = span.in_scope(current_traceparent).unwrap();
            assert_eq!(span.in_scope(current_sampled), sampled(&seen));
            assert_eq!(sampled(&seen), sampled(GOOD));
            assert!(seen.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{seen}");
            assert_ne!(seen, GOOD);
        });
    }

    #[test]
    fn what_is_stored_gives_way_to_a_span_of_its_own_trace_only() {
        traced(|| {
            assert_eq!(joined(Some(GOOD)).as_deref(), Some(GOOD), "outside a span");
            let stranger = tracing::info_span!("stranger");
            assert_eq!(stranger.in_scope(|| joined(Some(GOOD))).as_deref(), Some(GOOD));
            assert_eq!(stranger.in_scope(|| joined(None)), traceparent_of(&stranger));
            assert_eq!(
                stranger.in_scope(|| joined(Some("nonsense"))),
                traceparent_of(&stranger)
            );
            let own = tracing::info_span!("own");
            with_parent(&own, Some(GOOD));
            assert_eq!(own.in_scope(|| joined(Some(GOOD))), traceparent_of(&own));
        });
    }

    /// The traces that ended spans are linked to, by the spans' names.
    type Linked = std::collections::HashMap<String, Vec<String>>;

    #[derive(Debug, Clone, Default)]
    struct Links(std::sync::Arc<std::sync::Mutex<Linked>>);

    impl opentelemetry_sdk::trace::SpanExporter for Links {
        async fn export(
            &self,
            batch: Vec<opentelemetry_sdk::trace::SpanData>,
        ) -> opentelemetry_sdk::error::OTelSdkResult {
            let mut seen = self.0.lock().unwrap();
            seen.extend(batch.into_iter().map(|span| {
                let linked = span.links.iter();
                let traces = linked.map(|link| link.span_context.trace_id().to_string());
                (span.name.into_owned(), traces.collect())
            }));
            Ok(())
        }
    }

    #[test]
    fn a_link_names_the_other_span_and_none_names_nothing() {
        use opentelemetry::trace::TracerProvider;
        use tracing_subscriber::layer::SubscriberExt;
        let links = Links::default();
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
            .with_simple_exporter(links.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let batch = tracing::info_span!("batch");
            with_parent(&batch, Some(GOOD));
            let (tied, alone) = (tracing::info_span!("tied"), tracing::info_span!("alone"));
            link(&tied, &batch);
            link(&alone, &Span::none());
        });
        let seen = links.0.lock().unwrap();
        assert_eq!(seen["tied"], [trace_id(GOOD).unwrap()]);
        assert!(seen["alone"].is_empty() && seen["batch"].is_empty());
    }
}
