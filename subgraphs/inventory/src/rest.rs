//! The internal REST door: six routes, for order alone. Every change runs in a task of its own,
//! reservations in one they may share.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use contracts::inventory::{ReservationView, ReserveStock, ReturnStock};
use contracts::{OrderId, Problem, ProblemCode, problem};
use service_auth::ServiceVerifier;

use crate::App;
use crate::app::confirm::confirm;
use crate::app::release::release;
use crate::app::reserve::reserve;
use crate::app::restock::restock;
use crate::app::return_lines::return_lines;
use crate::app::{Error, in_task, read_stock};
use crate::domain::Refusal;

const MAX_BODY_BYTES: usize = 128 * 1024;

/// The routes of the internal listener.
pub(crate) fn router(app: App, callers: &ServiceVerifier) -> Router {
    Router::new()
        .route(
            "/reservations/{order_id}",
            put(put_reservation)
                .delete(delete_reservation)
                .get(get_reservation),
        )
        .route("/reservations/{order_id}/confirm", post(post_confirm))
        .route("/reservations/{order_id}/restock", post(post_restock))
        .route("/reservations/{order_id}/returns/{number}", put(put_return))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(service_auth::only(callers, &["order"]))
        .with_state(app)
}

type Answer = Result<Json<ReservationView>, Refused>;

async fn put_reservation(
    State(app): State<App>,
    Path(order_id): Path<String>,
    body: Result<Json<ReserveStock>, JsonRejection>,
) -> Answer {
    let order_id = parse(&order_id)?;
    let Json(body) = body.map_err(|rejection| bad_request(rejection.body_text()))?;
    Ok(Json(reserve(&app.together, order_id, body).await?))
}

async fn delete_reservation(State(app): State<App>, Path(order_id): Path<String>) -> Answer {
    let order_id = parse(&order_id)?;
    Ok(Json(
        in_task(async move { release(&app.pool, order_id).await }).await?,
    ))
}

async fn get_reservation(State(app): State<App>, Path(order_id): Path<String>) -> Answer {
    Ok(Json(read_stock::reservation(&app.pool, parse(&order_id)?).await?))
}

async fn post_confirm(State(app): State<App>, Path(order_id): Path<String>) -> Answer {
    let order_id = parse(&order_id)?;
    Ok(Json(
        in_task(async move { confirm(&app.pool, order_id).await }).await?,
    ))
}

async fn post_restock(State(app): State<App>, Path(order_id): Path<String>) -> Answer {
    let order_id = parse(&order_id)?;
    Ok(Json(
        in_task(async move { restock(&app.pool, order_id).await }).await?,
    ))
}

async fn put_return(
    State(app): State<App>,
    Path((order_id, number)): Path<(String, String)>,
    body: Result<Json<ReturnStock>, JsonRejection>,
) -> Answer {
    let order_id = parse(&order_id)?;
    let number = number
        .parse()
        .map_err(|_| bad_request("the path names no return".to_owned()))?;
    let Json(body) = body.map_err(|rejection| bad_request(rejection.body_text()))?;
    Ok(Json(
        in_task(async move { return_lines(&app.pool, order_id, number, body.lines).await }).await?,
    ))
}

fn parse(order_id: &str) -> Result<OrderId, Refused> {
    order_id
        .parse()
        .map_err(|_| bad_request("the path names no order".to_owned()))
}

fn bad_request(why: String) -> Refused {
    Refused::Problem(Problem::new(ProblemCode::BadRequest, why))
}

/// An answer other than 200: a definite refusal, or a fault that leaves the outcome unknown.
enum Refused {
    Problem(Problem),
    Fault(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Problem(problem_of(refusal)),
            fault => Self::Fault(fault),
        }
    }
}

fn problem_of(refusal: Refusal) -> Problem {
    let code = match &refusal {
        Refusal::OutOfStock(_) => ProblemCode::OutOfStock,
        Refusal::BodyMismatch => ProblemCode::BodyMismatch,
        Refusal::Released => ProblemCode::Released,
        Refusal::Gone => ProblemCode::Gone,
        Refusal::AlreadyConfirmed => ProblemCode::AlreadyConfirmed,
        Refusal::NotSold | Refusal::TooMany(_) => ProblemCode::InvalidState,
        Refusal::Unknown => ProblemCode::NotFound,
        Refusal::Invalid(_) => ProblemCode::Invalid,
    };
    let mut problem = Problem::new(code, refusal.to_string());
    if let Refusal::OutOfStock(skus) | Refusal::TooMany(skus) = refusal {
        problem.skus = skus;
    }
    problem
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => {
                let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
                (
                    status,
                    [(header::CONTENT_TYPE, problem::CONTENT_TYPE)],
                    Json(problem),
                )
                    .into_response()
            }
            Self::Fault(fault) => {
                tracing::error!(error = ?anyhow::Error::from(fault), "a reservation call failed");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}
