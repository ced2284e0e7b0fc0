//! The JSON of requests and responses.

use async_graphql::{Request, Response, ServerError, Value, Variables};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// The parameters of a request, after the specification: unknown members are ignored, known ones are typed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Map<String, Json>>,
    #[serde(default)]
    extensions: Option<Map<String, Json>>,
}

/// Reads one request; the error says what is wrong with the body.
pub(crate) fn read(bytes: &[u8]) -> Result<Request, &'static str> {
    let json: Json = serde_json::from_slice(bytes).map_err(|_| "The body is not JSON")?;
    if json.is_array() {
        return Err("Batches are not accepted: send one operation per request");
    }
    from_json(json)
}

/// Reads the parameters of an operation from a JSON object.
pub(crate) fn from_json(json: Json) -> Result<Request, &'static str> {
    let wrong =
        "The body must be an object with a string query, an object variables and a string operationName";
    let parameters: Parameters = serde_json::from_value(json).map_err(|_| wrong)?;
    // Extensions are checked for their type and otherwise unused.
    drop(parameters.extensions);
    let mut request = Request::new(parameters.query);
    if let Some(name) = parameters.operation_name.filter(|name| !name.is_empty()) {
        request = request.operation_name(name);
    }
    if let Some(variables) = parameters.variables {
        request = request.variables(Variables::from_json(Json::Object(variables)));
    }
    Ok(request)
}

/// A response with `data`.
#[derive(Serialize)]
pub(crate) struct Executed<'r> {
    data: &'r Value,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'r [ServerError],
}

/// A response without `data`: nothing was executed.
#[derive(Serialize)]
pub(crate) struct Refused<'r> {
    errors: &'r [ServerError],
}

/// The body of an executed operation.
pub(crate) fn executed(response: &Response) -> Executed<'_> {
    Executed {
        data: &response.data,
        errors: &response.errors,
    }
}

/// The body of a refused one.
pub(crate) fn refused(response: &Response) -> Refused<'_> {
    Refused {
        errors: &response.errors,
    }
}

/// How many seconds a request that came too often should wait.
pub(crate) fn retry_after(response: &Response) -> Option<u64> {
    let extensions = response.errors.first()?.extensions.as_ref()?;
    match extensions.get("retryAfterSeconds")? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    }
}

/// The status of a request that can't run: that of its first error, 400 unless it says otherwise.
pub(crate) fn status_of(response: &Response) -> StatusCode {
    let code = response
        .errors
        .first()
        .and_then(|error| error.extensions.as_ref()?.get("code").cloned());
    match code {
        Some(Value::String(code)) => match code.as_str() {
            "UNAUTHENTICATED" => StatusCode::UNAUTHORIZED,
            "FORBIDDEN" => StatusCode::FORBIDDEN,
            "RATE_LIMITED" => StatusCode::TOO_MANY_REQUESTS,
            "UNAVAILABLE" => StatusCode::SERVICE_UNAVAILABLE,
            "INTERNAL" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        },
        _ => StatusCode::BAD_REQUEST,
    }
}
