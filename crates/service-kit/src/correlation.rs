//! The id that follows one request through every service, log line and event.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use http::HeaderValue;
use tokio::task::JoinHandle;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::trace;

/// The header that carries it, in and out.
pub const HEADER: &str = "x-correlation-id";

/// Longer ids, or ids with other characters than these, are replaced rather than logged.
const MAX_LEN: usize = 64;

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request or message this task works for.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `future` under `id`. A spawned task starts without one: use [`spawn`], or scope it again.
pub async fn scope<F: Future>(id: String, future: F) -> F::Output {
    CURRENT.scope(id, future).await
}

/// Spawns a task that goes on under the id and in the span of this one.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let future = future.in_current_span();
    match current() {
        Some(id) => tokio::spawn(scope(id, future)),
        None => tokio::spawn(future),
    }
}

/// A new id.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Takes the id from the request or makes one, opens the request's span under the caller's trace, and returns the
/// id with the response. [`crate::Listener::instrumented`] adds it: routers need not.
pub fn layer() -> impl Layer<
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
    axum::middleware::from_fn::<_, (Request,)>(correlate)
}

async fn correlate(request: Request, next: Next) -> Response {
    let id = header(&request, HEADER)
        .filter(|id| is_acceptable(id))
        .map_or_else(new_id, str::to_owned);
    let span = span_of(&request);
    trace::with_parent(&span, header(&request, trace::HEADER));
    let answer = HeaderValue::from_str(&id);
    let mut response = scope(id, told(request, next).instrument(span)).await;
    if let Ok(id) = answer {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

/// Named by the route's template: with ids in it, every request would have a name of its own.
fn span_of(request: &Request) -> tracing::Span {
    let method = request.method();
    let route = request.extensions().get::<MatchedPath>();
    tracing::info_span!(
        "request",
        otel.kind = "server",
        otel.name = route.map_or_else(|| method.to_string(), |route| format!("{method} {}", route.as_str())),
        otel.status_code = tracing::field::Empty,
        http.request.method = %method,
        url.path = request.uri().path(),
        http.response.status_code = tracing::field::Empty,
    )
}

/// Runs the request and says so: the one line that every request leaves in the log, at debug level.
async fn told(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let status = response.status();
    let span = tracing::Span::current();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    tracing::debug!(
        %method,
        path = uri.path(),
        status = status.as_u16(),
        took_ms = begun.elapsed().as_secs_f64() * 1e3,
        "answered"
    );
    response
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn is_acceptable(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn ask(sent: Option<&str>) -> (String, String) {
        let app = Router::new()
            .route("/", get(|| async { current().unwrap_or_default() }))
            .layer(layer());
        let mut request = Request::builder().uri("/");
        if let Some(sent) = sent {
            request = request.header(HEADER, sent);
        }
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let header = response.headers()[HEADER].to_str().unwrap().to_owned();
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap()
            .to_bytes();
        (header, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn keeps_a_good_id_and_makes_a_missing_one() {
        assert_eq!(ask(Some("abc-1")).await, ("abc-1".to_owned(), "abc-1".to_owned()));
        let (header, body) = ask(None).await;
        assert_eq!(header, body);
        assert_eq!(header.len(), 32);
    }

    #[tokio::test]
    async fn replaces_an_id_that_would_spoil_the_logs() {
        for bad in ["a b", "\"}", &"x".repeat(65)] {
            let (header, _) = ask(Some(bad)).await;
            assert_ne!(header, bad);
        }
    }

    #[tokio::test]
    async fn goes_on_in_a_task_that_is_spawned_under_it() {
        let work = async { spawn(async { current() }).await.unwrap() };
        assert_eq!(scope("x".to_owned(), work).await.as_deref(), Some("x"));
        assert_eq!(spawn(async { current() }).await.unwrap(), None);
    }

    #[tokio::test]
    async fn is_absent_outside_a_request() {
        assert_eq!(current(), None);
        assert_eq!(
            scope("x".to_owned(), async { current() }).await.as_deref(),
            Some("x")
        );
    }
}
