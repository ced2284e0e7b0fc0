//! `POST /graphql`: the endpoint that the gateway calls, after the GraphQL-over-HTTP specification.
//!
//! JSON only, one operation per request, no GET, no batches, no uploads. Under `application/graphql-response+json` a
//! document that can't run answers 4xx; under `application/json` it answers 200, as that media type demands, unless
//! the body itself is malformed.

mod body;
mod gateway;
mod negotiate;

use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::OperationType;
use async_graphql::{ObjectType, Request, Response, Schema, ServerError, SubscriptionType};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::post;
use rate_limit::{RateLimits, Rates};
use service_auth::{AuthError, CurrentUser, UserVerifier};
use service_kit::refusal::{Door, refused};
use service_kit::{Admission, Env, Inside, correlation};
use tracing::Instrument as _;

use crate::error::{ApiError, Code};
use crate::limit;
use crate::metrics::Metrics;
use crate::nulls::{self, Types};
use crate::refusals::{self, Who};
use crate::schema::Engine;
use crate::viewer::{ClientIp, Viewer};
use crate::{document, mask};

pub(crate) use body::{from_json, read as read_body};
pub use gateway::{GatewayKeys, HEADER as GATEWAY_HEADER, KeyError};
use negotiate::Format;

const MAX_BODY_BYTES: usize = 256 * 1024;

/// What the HTTP endpoint takes from the environment.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// `GATEWAY_KEY` (or `GATEWAY_KEY_FILE`).
    pub gateway_key: GatewayKeys,
    /// `MERCATO_ENV` is not `development`.
    pub production: bool,
    /// `API_RATES`: how often a user or an address may ask, by class of operation; each mode has its default.
    pub rates: Rates,
}

impl HttpSettings {
    /// Reads `GATEWAY_KEY`, `MERCATO_ENV` and `API_RATES`.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let gateway_key = GatewayKeys::from_env(env);
        let mode = env.optional::<String>("MERCATO_ENV", "production".to_owned());
        let production = mode.as_deref() != Some("development");
        let usual = if production {
            Rates::PRODUCTION
        } else {
            Rates::DEVELOPMENT
        };
        let rates = env.optional("API_RATES", usual);
        mode?;
        Some(Self {
            gateway_key: gateway_key?,
            production,
            rates: rates?,
        })
    }

    /// The endpoint's configuration, with the verifier of user tokens.
    pub fn with_users(self, users: UserVerifier) -> HttpConfig {
        HttpConfig::new(self.gateway_key, users, self.production)
    }
}

/// The HTTP endpoint's configuration.
#[derive(Clone)]
pub struct HttpConfig {
    /// Keys of which a request must bear one.
    pub gateway_key: GatewayKeys,
    /// Verifies bearer tokens.
    pub users: UserVerifier,
    /// Turns introspection off.
    pub production: bool,
    /// How often one may ask; without, as often as one likes.
    pub limits: Option<RateLimits>,
    /// Whoever it does not let in is answered `UNAVAILABLE` before anything is done for them.
    pub admission: Admission,
}

impl HttpConfig {
    /// Without limits, and never refusing for want of time.
    pub fn new(gateway_key: GatewayKeys, users: UserVerifier, production: bool) -> Self {
        Self {
            gateway_key,
            users,
            production,
            limits: None,
            admission: Admission::default(),
        }
    }

    /// The same, with limits.
    #[must_use]
    pub fn limited(self, limits: RateLimits) -> Self {
        Self {
            limits: Some(limits),
            ..self
        }
    }

    /// The same, refusing requests while the process has fallen behind.
    #[must_use]
    pub fn shedding(self, admission: Admission) -> Self {
        Self { admission, ..self }
    }
}

struct Endpoint {
    engine: Box<dyn Engine>,
    types: Types,
    users: UserVerifier,
    production: bool,
    limits: Option<RateLimits>,
    admission: Admission,
    metrics: Metrics,
}

/// The router of the GraphQL listener: `POST /graphql`, for bearers of the gateway key.
pub fn router<Q, M, S>(schema: Schema<Q, M, S>, config: HttpConfig) -> Router
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let endpoint = Arc::new(Endpoint {
        types: schema.types(),
        engine: Box::new(schema),
        users: config.users,
        production: config.production,
        limits: config.limits,
        admission: config.admission,
        metrics: Metrics::new(),
    });
    Router::new()
        .route("/graphql", post(answer))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(config.gateway_key, gateway::guard))
        .with_state(endpoint)
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, body: Bytes) -> HttpResponse {
    let Some(format) = negotiate::accepted(&headers) else {
        return (
            StatusCode::NOT_ACCEPTABLE,
            "answers application/graphql-response+json or application/json\n",
        )
            .into_response();
    };
    if !negotiate::is_plain_json(&headers) {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be plain application/json",
            format,
        );
    }
    // Before the token is verified and the document read: most of what a request costs.
    let Some(inside) = endpoint.admission.enter() else {
        endpoint.metrics.shed();
        let error = ApiError::new(Code::Unavailable, "Too many requests wait already, try again");
        return request_error(Response::from_errors(vec![server_error(error)]), format);
    };
    let request = match body::read(&body) {
        Ok(request) => request,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why, format),
    };
    let from = ClientIp::of(&headers);
    let user = match bearer(&endpoint.users, &headers, from).await {
        Ok(user) => user,
        Err(error) => return request_error(Response::from_errors(vec![server_error(error)]), format),
    };
    let mut response = run(endpoint, request, user, from, inside).await;
    if mask::is_request_error(&response) {
        return request_error(response, format);
    }
    mask::mask(&mut response);
    negotiate::write(StatusCode::OK, &body::executed(&response), format)
}

/// Runs one checked operation and counts it.
async fn run(
    endpoint: Arc<Endpoint>,
    mut request: Request,
    user: Option<CurrentUser>,
    from: ClientIp,
    inside: Inside,
) -> Response {
    let started = Instant::now();
    let checked = match document::check(&mut request, !endpoint.production) {
        Ok(checked) => checked,
        Err(error) => {
            endpoint.metrics.refused();
            let operation = request.operation_name.as_deref();
            refusals::note_document(&error, Who(user.as_ref(), from), operation);
            return Response::from_errors(vec![error]);
        }
    };
    if checked.operation_type == OperationType::Subscription {
        let error = ApiError::bad_input("Subscriptions are served at /graphql/ws");
        return Response::from_errors(vec![server_error(error)]);
    }
    if let Err(error) = limit::admit(endpoint.limits.as_ref(), user.as_ref(), from, &checked).await {
        endpoint.metrics.count(&checked, "rejected");
        let response = Response::from_errors(vec![server_error(error)]);
        refusals::note(&response, Who(user.as_ref(), from), checked.shown_name());
        return response;
    }
    let asked = checked.asked(&request);
    let span = checked.span();
    let work = endpoint
        .engine
        .execute(request.data(Viewer(user.clone())).data(from))
        .instrument(span);
    // A change is inside for as long as it is worked on, also when its client has gone.
    let work = async move {
        let response = work.await;
        drop(inside);
        response
    };
    let mut response = if checked.operation_type == OperationType::Mutation {
        detached(work).await
    } else {
        work.await
    };
    nulls::mend(&endpoint.types, &asked, &mut response);
    refusals::note(&response, Who(user.as_ref(), from), checked.shown_name());
    endpoint.metrics.ran(&checked, &response, started.elapsed());
    response
}

/// Runs to the end even if the client goes away: a future dropped inside a transaction would leave it open.
async fn detached(work: impl Future<Output = Response> + Send + 'static) -> Response {
    correlation::spawn(work).await.unwrap_or_else(|fault| {
        tracing::error!(error = %fault, "a mutation panicked");
        Response::from_errors(vec![server_error(ApiError::new(
            Code::Internal,
            "Internal error",
        ))])
    })
}

/// The user of the bearer token; none at all is an anonymous shopper, a bad one is refused.
async fn bearer(
    users: &UserVerifier,
    headers: &HeaderMap,
    from: ClientIp,
) -> Result<Option<CurrentUser>, ApiError> {
    let mut values = headers.get_all(axum::http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(bearer_token);
    let verified = match token {
        Some(token) if values.next().is_none() => users.verify(token).await,
        Some(_) => Err(AuthError::Invalid("several tokens")),
        None => Err(AuthError::Invalid("not a bearer token")),
    };
    let refusal = |error: AuthError| {
        if error == AuthError::Unavailable {
            return ApiError::unavailable("Sign-in");
        }
        let code = Code::Unauthenticated;
        refused(Door::UserToken, Who(None, from), "/graphql", code.as_str(), error);
        ApiError::new(code, "The access token is not valid")
    };
    verified.map(Some).map_err(refusal)
}

/// The token of `Bearer <token>`.
pub(crate) fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

pub(crate) fn server_error(error: ApiError) -> ServerError {
    let mut shown = ServerError::new(error.message(), None);
    shown.extensions = Some(error.extensions());
    shown
}

/// An answer to a well-formed request that can't run.
fn request_error(mut response: Response, format: Format) -> HttpResponse {
    mask::mask(&mut response);
    let status = match format {
        Format::Json => StatusCode::OK,
        Format::GraphqlResponse => body::status_of(&response),
    };
    let mut answer = negotiate::write(status, &body::refused(&response), format);
    if let Some(seconds) = body::retry_after(&response) {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// An answer to a request that isn't one, with its status under either media type.
fn refuse(status: StatusCode, why: &str, format: Format) -> HttpResponse {
    let mut response = Response::from_errors(vec![server_error(ApiError::bad_input(why))]);
    mask::mask(&mut response);
    negotiate::write(status, &body::refused(&response), format)
}
