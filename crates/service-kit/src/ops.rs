//! The ops listener: health, readiness and metrics. Never public.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use prometheus::{Encoder, TextEncoder};

use crate::{Readiness, metrics, open_metrics};

pub(crate) fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(readiness)
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    let report = readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

/// As OpenMetrics for whoever can read it, who then learns exemplars too; else in the older format of Prometheus.
async fn scrape(headers: HeaderMap) -> Response {
    observe_process();
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let families = metrics::registry().gather();
    if open_metrics::is_accepted(accept)
        && let Ok(text) = open_metrics::encode(&families)
    {
        return ([(header::CONTENT_TYPE, open_metrics::CONTENT_TYPE)], text).into_response();
    }
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&families, &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics can't be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Memory and descriptors, where `/proc` tells them.
fn observe_process() {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<i64>().ok());
        let gauge = metrics::gauge("process_resident_memory_bytes", "Resident memory.", &[]);
        gauge
            .with_label_values::<&str>(&[])
            .set(kib.unwrap_or(0).saturating_mul(1024));
    }
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        let gauge = metrics::gauge("process_open_fds", "Open file descriptors.", &[]);
        gauge
            .with_label_values::<&str>(&[])
            .set(i64::try_from(entries.count()).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn get(router: Router, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        ask(router, request).await
    }

    async fn ask(router: Router, request: Request) -> (StatusCode, String) {
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_follows_the_components() {
        let readiness = Readiness::new();
        let store = readiness.component("postgres");
        readiness.serving();
        let (status, body) = get(router(readiness.clone()), "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#""postgres":"starting""#), "{body}");
        store.up();
        assert_eq!(get(router(readiness.clone()), "/readyz").await.0, StatusCode::OK);
        assert_eq!(get(router(readiness), "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_scraper_gets_the_format_it_asks_for() {
        let request = Request::builder()
            .uri("/metrics")
            .header(header::ACCEPT, "application/openmetrics-text;version=1.0.0")
            .body(Body::empty())
            .unwrap();
        let (status, body) = ask(router(Readiness::new()), request).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.ends_with("\n# EOF\n"), "{body}");
        let (_, body) = get(router(Readiness::new()), "/metrics").await;
        assert!(!body.contains("# EOF"), "{body}");
    }

    #[tokio::test]
    async fn metrics_tell_the_process() {
        let (status, body) = get(router(Readiness::new()), "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("process_resident_memory_bytes"), "{body}");
    }
}
