//! The internal REST door: what carts and orders ask.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use contracts::product::VariantLookup;
use contracts::{Problem, ProblemCode, problem};
use service_auth::{ServiceVerifier, only};

use crate::App;
use crate::app::lookup_variants::lookup_variants;

/// 500 ids take some 16 KiB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes of the internal listener.
pub fn router(app: App, services: &ServiceVerifier) -> Router {
    Router::new()
        .route(
            "/variants/lookup",
            post(lookup).layer(only(services, &["cart", "order"])),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

async fn lookup(State(app): State<App>, body: Result<Json<VariantLookup>, JsonRejection>) -> Response {
    let question = match body {
        Ok(Json(question)) => question,
        Err(rejection) => return refuse(&Problem::new(ProblemCode::BadRequest, rejection.body_text())),
    };
    match lookup_variants(&app, &question).await {
        Ok(Ok(facts)) => Json(facts).into_response(),
        Ok(Err(problem)) => refuse(&problem),
        Err(error) => {
            tracing::error!(%error, source = %error.source, "variants can't be looked up");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn refuse(refusal: &Problem) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(refusal)).into_response();
    let content_type = HeaderValue::from_static(problem::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
