//! The internal and the public routes.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contracts::auth::{Contact, ContactLookup, Contacts};
use contracts::{Problem, ProblemCode};
use service_auth::{ServiceVerifier, only};

use crate::App;
use crate::app::users_by_ids;

/// Most users in one lookup.
const MAX_USERS: usize = 100;
/// 100 ids take some 4 KiB.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Short, so that a new key is known long before it signs.
const KEYS_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=30");

/// The routes of the internal listener: where somebody is written to, for the one service that writes.
pub(crate) fn internal(app: App, services: &ServiceVerifier) -> Router {
    Router::new()
        .route(
            "/contacts/lookup",
            post(contacts).layer(only(services, &["notification"])),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .fallback(nothing_here)
        .with_state(app)
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

async fn contacts(State(app): State<App>, body: Result<Json<ContactLookup>, JsonRejection>) -> Response {
    let question = match body {
        Ok(Json(question)) => question,
        Err(rejection) => return refuse(&Problem::new(ProblemCode::BadRequest, rejection.body_text())),
    };
    if question.user_ids.len() > MAX_USERS {
        let why = format!("at most {MAX_USERS} users");
        return refuse(&Problem::new(ProblemCode::BadRequest, why));
    }
    match users_by_ids(&app, &question.user_ids).await {
        Ok(users) => {
            let contact = |user: crate::domain::User| Contact {
                user_id: user.id,
                email: user.email,
                display_name: user.display_name,
            };
            let contacts = users.into_iter().map(contact).collect();
            Json(Contacts { contacts }).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "contacts can't be looked up");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn nothing_here() -> Response {
    refuse(&Problem::new(ProblemCode::NotFound, "no such route"))
}

fn refuse(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_static(contracts::problem::CONTENT_TYPE);
    (status, [(header::CONTENT_TYPE, kind)], Json(problem)).into_response()
}
