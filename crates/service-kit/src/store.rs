//! What a store is asked for a request: how often, with what outcome, for how long, and a span of the request's trace.

use std::time::Instant;

use tracing::Instrument;

use crate::metrics;

/// Asks `store` for something called `operation`. Not for what polls: each poll would be a trace of its own.
pub async fn ask<T, E>(
    store: &'static str,
    operation: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let span = tracing::info_span!(
        "store",
        otel.kind = "client",
        otel.name = format!("{store} {operation}"),
        otel.status_code = tracing::field::Empty,
        db.system.name = store,
        db.operation.name = operation,
    );
    let begun = Instant::now();
    let answer = work.instrument(span.clone()).await;
    if answer.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    metrics::histogram(
        "store_operation_seconds",
        "Operations of stores, as requests wait for them.",
        &["store", "operation", "outcome"],
    )
    .with_label_values(&[store, operation, if answer.is_ok() { "ok" } else { "failed" }])
    .observe(begun.elapsed().as_secs_f64());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn counts_by_outcome() {
        let good = ask("test", "read", async { Ok::<_, &str>(1) }).await;
        let bad = ask("test", "read", async { Err::<u8, _>("no") }).await;
        assert_eq!((good, bad), (Ok(1), Err("no")));
        let counted = metrics::histogram("store_operation_seconds", "", &[]);
        for outcome in ["ok", "failed"] {
            let samples = counted.with_label_values(&["test", "read", outcome]);
            assert_eq!(samples.get_sample_count(), 1, "{outcome}");
        }
    }
}
