//! The doors for order and for the provider: each translates and calls one use case.

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use contracts::payment::{StartPayment, StartRefund};
use contracts::{OrderId, Problem, ProblemCode};
use serde::Serialize;
use service_auth::{ServiceVerifier, only};
use service_kit::refusal::{Door, refused};

use crate::app::{App, AppError, WebhookError};

const MAX_BODY_BYTES: usize = 16 * 1024;
/// Stripe's largest events are well below this.
const MAX_WEBHOOK_BYTES: usize = 256 * 1024;

/// The internal listener: for order alone.
pub fn internal(app: App, callers: &ServiceVerifier) -> Router {
    Router::new()
        .route("/payments/{order_id}", put(start_payment).get(show_payment))
        .route("/payments/{order_id}/void", post(void_payment))
        .route("/payments/{order_id}/refunds/{reason}", post(refund_payment))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(only(callers, &["order"]))
        .with_state(app)
}

/// The public listener: for the provider alone, who signs.
pub fn public(app: App) -> Router {
    Router::new()
        .route("/webhooks/stripe", post(receive_webhook))
        .layer(DefaultBodyLimit::max(MAX_WEBHOOK_BYTES))
        .with_state(app)
}

async fn start_payment(
    State(app): State<App>,
    Path(order): Path<String>,
    body: Result<Json<StartPayment>, JsonRejection>,
) -> Response {
    let (order, request) = match (order_id(&order), readable(body)) {
        (Ok(order), Ok(request)) => (order, request),
        (Err(refusal), _) | (_, Err(refusal)) => return problem(&refusal),
    };
    let started = app.clone();
    answer(
        app.finish(async move { started.start_payment(order, request).await })
            .await,
    )
}

async fn show_payment(State(app): State<App>, Path(order): Path<String>) -> Response {
    match order_id(&order) {
        Ok(order) => answer(app.show_payment(order).await),
        Err(refusal) => problem(&refusal),
    }
}

async fn void_payment(State(app): State<App>, Path(order): Path<String>) -> Response {
    let order = match order_id(&order) {
        Ok(order) => order,
        Err(refusal) => return problem(&refusal),
    };
    let voided = app.clone();
    answer(app.finish(async move { voided.void_payment(order).await }).await)
}

async fn refund_payment(
    State(app): State<App>,
    Path((order, reason)): Path<(String, String)>,
    body: Result<Json<StartRefund>, JsonRejection>,
) -> Response {
    let (order, request) = match (order_id(&order), readable(body)) {
        (Ok(order), Ok(request)) => (order, request),
        (Err(refusal), _) | (_, Err(refusal)) => return problem(&refusal),
    };
    let refunded = app.clone();
    answer(
        app.finish(async move { refunded.refund_payment(order, &reason, request).await })
            .await,
    )
}

async fn receive_webhook(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok());
    match app.receive_webhook(signature.unwrap_or_default(), &body).await {
        Ok(()) => StatusCode::OK,
        Err(WebhookError::App(error)) => {
            tracing::warn!(%error, "a webhook could not be applied");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error @ (WebhookError::Signature(_) | WebhookError::Body(_))) => {
            refused(Door::Webhook, "unknown", "POST /webhooks/stripe", "400", error);
            StatusCode::BAD_REQUEST
        }
    }
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|error: contracts::ids::ParseIdError| {
        Problem::new(ProblemCode::BadRequest, error.to_string())
    })
}

fn readable<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    match body {
        Ok(Json(body)) => Ok(body),
        Err(rejection) => Err(Problem::new(ProblemCode::BadRequest, rejection.body_text())),
    }
}

fn answer<T: Serialize>(outcome: Result<T, AppError>) -> Response {
    match outcome {
        Ok(body) => Json(body).into_response(),
        Err(AppError::Refused(refusal)) => problem(&refusal),
        Err(error) => {
            tracing::warn!(%error, "the outcome is unknown to the caller");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response()
        }
    }
}

fn problem(refusal: &Problem) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(refusal)).into_response();
    let kind = HeaderValue::from_static(contracts::problem::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
