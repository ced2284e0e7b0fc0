//! The page and the API.

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::page;
use crate::sandbox::Sandbox;
use crate::settings::Settings;

/// All routes.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/mails/{id}", get(show))
        .route("/api/mails", get(mails).delete(clear))
        .route("/api/mails/{id}", get(mail))
        .route("/api/settings", get(settings).put(change))
        .with_state(sandbox)
}

#[derive(Deserialize)]
struct Which {
    to: Option<String>,
}

async fn list(State(sandbox): State<Sandbox>) -> Response {
    shown(page::list(&sandbox.mails()))
}

async fn show(State(sandbox): State<Sandbox>, Path(id): Path<u64>) -> Response {
    match sandbox.mail(id) {
        Some(mail) => shown(page::mail(&mail)),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What a mail holds must not run in the page that shows it.
fn shown(page: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'";
    let policy = HeaderValue::from_static(policy);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

async fn mails(State(sandbox): State<Sandbox>, Query(which): Query<Which>) -> Response {
    match which.to {
        Some(address) => Json(sandbox.mails_to(&address)).into_response(),
        None => Json(sandbox.mails()).into_response(),
    }
}

async fn mail(State(sandbox): State<Sandbox>, Path(id): Path<u64>) -> Response {
    match sandbox.mail(id) {
        Some(mail) => Json(mail).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn clear(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear();
    StatusCode::NO_CONTENT
}

async fn settings(State(sandbox): State<Sandbox>) -> Json<Settings> {
    Json(sandbox.settings())
}

/// Takes whole settings: what is left out is as at the start.
async fn change(State(sandbox): State<Sandbox>, Json(settings): Json<Settings>) -> Json<Settings> {
    sandbox.set(settings);
    Json(sandbox.settings())
}
