//! Development only: the control room's plugs. Stops, freezes and slows the processes of the local system and lets
//! the auditor look at the books beside; reads the logs of one request. Must not know the graph.

mod guard;
mod invariants;
mod plugs;
mod trace;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dev_stack::Stack;
use serde::Deserialize;
use serde_json::{Value, json};
use service_auth::UserVerifier;

use self::invariants::Invariants;
use self::plugs::{Action, Plugs};

/// What the routes share; cheap to clone.
#[derive(Clone)]
pub(crate) struct Control {
    folder: Arc<PathBuf>,
    verifier: UserVerifier,
    plugs: Plugs,
    /// One pull at a time: each records the process it started.
    pulling: Arc<tokio::sync::Mutex<()>>,
    invariants: Invariants,
}

impl Control {
    pub(crate) fn new(folder: PathBuf, verifier: UserVerifier) -> Self {
        Self {
            folder: Arc::new(folder),
            verifier,
            plugs: Plugs::default(),
            pulling: Arc::default(),
            invariants: Invariants::default(),
        }
    }

    /// The system as it is recorded now: processes come and go.
    async fn stack(&self) -> anyhow::Result<Arc<Stack>> {
        let folder = self.folder.clone();
        let stack = tokio::task::spawn_blocking(move || Stack::attach(&folder)).await??;
        Ok(Arc::new(stack.context("no system runs")?))
    }
}

pub(crate) fn routes(control: Control) -> Router {
    Router::new()
        .route("/plugs", get(list))
        .route("/plugs/{name}", post(pull))
        .route("/invariants", get(audit))
        .route("/traces/{id}", get(lines))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(control.clone(), guard::check))
        .with_state(control)
}

#[derive(Debug, Deserialize)]
struct Pull {
    action: Action,
}

async fn list(State(control): State<Control>) -> Response {
    answer(plugs(&control).await)
}

async fn plugs(control: &Control) -> anyhow::Result<Value> {
    let stack = control.stack().await?;
    let supervised = stack
        .state()
        .supervisor
        .is_some_and(dev_stack::ProcessId::is_running);
    Ok(json!({ "supervised": supervised, "plugs": control.plugs.list(&stack).await }))
}

async fn pull(
    State(control): State<Control>,
    Path(name): Path<String>,
    Json(Pull { action }): Json<Pull>,
) -> Response {
    let pulled = async {
        let _alone = control.pulling.lock().await;
        let stack = control.stack().await?;
        tracing::info!(plug = name, ?action, "pulled");
        control.plugs.apply(&stack, &name, action).await?;
        plugs(&control).await
    };
    answer(pulled.await)
}

async fn audit(State(control): State<Control>) -> Response {
    let audited = async {
        let stack = control.stack().await?;
        control.invariants.look(&stack.plan()).await
    };
    answer(audited.await)
}

async fn lines(State(control): State<Control>, Path(id): Path<String>) -> Response {
    if !trace::is_id(&id) {
        return StatusCode::NOT_FOUND.into_response();
    }
    answer(trace::lines(control.folder.to_path_buf(), id).await)
}

fn answer(outcome: anyhow::Result<Value>) -> Response {
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(error) => {
            let body = json!({ "message": format!("{error:#}") });
            (StatusCode::CONFLICT, Json(body)).into_response()
        }
    }
}
