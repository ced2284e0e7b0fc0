//! The internal REST door: two routes for order, one for analytics.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use contracts::cart::{CartCheckedOut, CartFact, CartLineFact, CartsStarted};
use contracts::{CartId, Problem, ProblemCode, problem};
use serde::Deserialize;
use service_auth::ServiceVerifier;

use crate::App;
use crate::app::Error;
use crate::app::check_out::check_out;
use crate::app::count_started::count_started;
use crate::app::read_cart::{Reader, read_cart};
use crate::domain::Cart;

const MAX_BODY_BYTES: usize = 16 * 1024;
/// A week: what one question may span.
const MAX_HOURS: u16 = 7 * 24;

/// The routes of the internal listener.
pub(crate) fn router(app: App, callers: &ServiceVerifier) -> Router {
    let counts = Router::new()
        .route("/carts/started", get(get_started))
        .route_layer(service_auth::only(callers, &["analytics"]));
    Router::new()
        .route("/carts/{cart_id}", get(get_cart))
        .route("/carts/{cart_id}/checked-out", post(post_checked_out))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(service_auth::only(callers, &["order"]))
        .merge(counts)
        .with_state(app)
}

/// Which hours are asked for.
#[derive(Deserialize)]
struct Hours {
    from: DateTime<Utc>,
    hours: u16,
}

async fn get_started(
    State(app): State<App>,
    asked: Result<Query<Hours>, QueryRejection>,
) -> Result<Json<CartsStarted>, Refused> {
    let Query(asked) = asked.map_err(|rejection| refuse(ProblemCode::BadRequest, rejection.body_text()))?;
    if !(1..=MAX_HOURS).contains(&asked.hours) {
        return Err(refuse(
            ProblemCode::BadRequest,
            format!("hours must be 1 to {MAX_HOURS}"),
        ));
    }
    Ok(Json(CartsStarted {
        hours: count_started(&app, asked.from, asked.hours).await?,
    }))
}

type Answer = Result<Json<CartFact>, Refused>;

/// Order checks whose cart it is; `user_id` is in the answer.
async fn get_cart(State(app): State<App>, Path(cart_id): Path<String>) -> Answer {
    let reader = Reader {
        user: None,
        staff: true,
    };
    found(read_cart(&app, reader, parse(&cart_id)?).await?)
}

async fn post_checked_out(
    State(app): State<App>,
    Path(cart_id): Path<String>,
    body: Result<Json<CartCheckedOut>, JsonRejection>,
) -> Answer {
    let cart_id = parse(&cart_id)?;
    let Json(ordered) = body.map_err(|rejection| refuse(ProblemCode::BadRequest, rejection.body_text()))?;
    found(check_out(&app, cart_id, &ordered).await?)
}

fn parse(cart_id: &str) -> Result<CartId, Refused> {
    cart_id
        .parse()
        .map_err(|_| refuse(ProblemCode::BadRequest, "the path names no cart"))
}

fn found(cart: Option<Cart>) -> Answer {
    let cart = cart.ok_or_else(|| refuse(ProblemCode::NotFound, "no such cart"))?;
    Ok(Json(fact(&cart)))
}

fn fact(cart: &Cart) -> CartFact {
    let line = |line: &crate::domain::Line| CartLineFact {
        variant_id: line.variant_id,
        quantity: line.quantity,
        seen_price_minor: line.seen_price_minor,
    };
    CartFact {
        cart_id: cart.id,
        user_id: cart.owner,
        version: cart.version,
        currency: cart.currency,
        lines: cart.lines.iter().map(line).collect(),
        coupon: cart.coupon.clone(),
    }
}

fn refuse(code: ProblemCode, why: impl Into<String>) -> Refused {
    Refused::Problem(Problem::new(code, why))
}

/// An answer other than 200: a definite refusal, or a fault that leaves the outcome unknown.
enum Refused {
    Problem(Problem),
    Fault(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
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
                tracing::error!(error = ?anyhow::Error::from(fault), "a cart call failed");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}
