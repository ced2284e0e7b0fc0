//! The guard of an internal route: only named services, by their token.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use contracts::{Problem, ProblemCode};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use service_kit::refusal::{Door, refused};
use tower::{Layer, Service};

use crate::ServiceVerifier;

const UNAUTHENTICATED: &str = "UNAUTHENTICATED";

/// The service that calls; only behind [`only`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCaller(pub String);

impl<S: Sync> FromRequestParts<S> for ServiceCaller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        // Missing means that the route lacks its guard: refuse, never guess.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| refusal(ProblemCode::Unauthenticated, "no service token"))
    }
}

#[derive(Clone)]
struct Guard {
    verifier: ServiceVerifier,
    callers: &'static [&'static str],
}

/// Lets only `callers` through, and tells the handler who it is. For `MethodRouter::layer` and `Router::layer`.
pub fn only(
    verifier: &ServiceVerifier,
    callers: &'static [&'static str],
) -> impl Layer<
    Route,
    Service = impl Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>
              + Clone
              + Send
              + Sync
              + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let guard = Guard {
        verifier: verifier.clone(),
        callers,
    };
    axum::middleware::from_fn_with_state::<_, _, (State<Guard>, Request)>(guard, check)
}

async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    let Some(token) = bearer(request.headers()) else {
        let why = "no service token, or several";
        refused(Door::ServiceToken, "unknown", what, UNAUTHENTICATED, why);
        return refusal(ProblemCode::Unauthenticated, "no service token");
    };
    match guard.verifier.verify(token) {
        Ok(caller) if guard.callers.contains(&caller.as_str()) => {
            request.extensions_mut().insert(ServiceCaller(caller));
            next.run(request).await
        }
        Ok(caller) => {
            let why = "not on this route's list";
            refused(Door::ServiceToken, caller, what, "FORBIDDEN", why);
            refusal(ProblemCode::Forbidden, "not for this caller")
        }
        Err(error) => {
            refused(Door::ServiceToken, "unknown", what, UNAUTHENTICATED, error);
            refusal(ProblemCode::Unauthenticated, "service token refused")
        }
    }
}

/// The one bearer token of a request; none when there are two.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok()?.strip_prefix("Bearer "),
        _ => None,
    }
}

fn refusal(code: ProblemCode, detail: &str) -> Response {
    let problem = Problem::new(code, detail);
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(problem)).into_response();
    let kind = HeaderValue::from_static(contracts::problem::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
