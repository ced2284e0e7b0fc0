//! The internal and the public routes.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contracts::{Problem, ProblemCode};

use crate::App;

/// Short, so that a new key is known long before it signs.
const KEYS_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=30");

/// The routes of the internal listener: none yet, since nobody needs auth but for its keys.
pub(crate) fn internal() -> Router {
    Router::new().fallback(nothing_here)
}

/// The routes of the public listener: the keys that verify access tokens.
pub(crate) fn public(app: App) -> Router {
    Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .fallback(nothing_here)
        .with_state(app)
}

async fn jwks(State(app): State<App>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, KEYS_CACHE)], Json(app.key_set()))
}

async fn nothing_here() -> Response {
    let kind = HeaderValue::from_static(contracts::problem::CONTENT_TYPE);
    let problem = Problem::new(ProblemCode::NotFound, "no such route");
    (
        StatusCode::NOT_FOUND,
        [(header::CONTENT_TYPE, kind)],
        Json(problem),
    )
        .into_response()
}
