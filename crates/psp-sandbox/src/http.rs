//! The API: routes under `/v1`, as Stripe's client libraries call them.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use service_kit::Secret;
use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::commands::{Change, Outcome};
use crate::fault::Fault;
use crate::form::Params;
use crate::journal::JournalLost;
use crate::objects::{Intent, Refund};
use crate::sandbox::{Keyed, Reply, Sandbox};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const LONGEST_KEY: usize = 255;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) sandbox: Sandbox,
    key: Secret,
    shutdown: CancellationToken,
}

/// All routes. `shutdown` ends requests that are left hanging.
pub fn router(sandbox: Sandbox, key: Secret, shutdown: CancellationToken) -> Router {
    let api = Api {
        sandbox,
        key,
        shutdown,
    };
    let v1 = Router::new()
        .route("/payment_intents", post(create_intent).get(list_intents))
        .route("/payment_intents/search", get(search_intents))
        .route("/payment_intents/{id}", get(show_intent))
        .route("/payment_intents/{id}/confirm", post(confirm_intent))
        .route("/payment_intents/{id}/cancel", post(cancel_intent))
        .route("/refunds", post(create_refund).get(list_refunds))
        .route("/refunds/{id}", get(show_refund))
        .layer(middleware::from_fn_with_state(api.clone(), weather));
    Router::new()
        .nest("/v1", v1)
        .nest("/_sandbox", admin::routes())
        .fallback(async || Fault::no_route().into_response())
        .layer(middleware::from_fn_with_state(api.clone(), authorise))
        .with_state(api)
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.body())).into_response()
    }
}

/// Lets only requests through that bear the key, as a bearer token or as the user of basic authentication.
async fn authorise(State(api): State<Api>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let known = match given.and_then(|text| text.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key == api.key.expose(),
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            BASE64_STANDARD.decode(pair).is_ok_and(|pair| {
                pair.strip_suffix(b":")
                    .is_some_and(|user| user == api.key.expose().as_bytes())
            })
        }
        _ => false,
    };
    if known {
        next.run(request).await
    } else {
        Fault::unauthorised().into_response()
    }
}

/// The outages and delays that were asked for.
async fn weather(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (outage, latency) = api
        .sandbox
        .touch(|state| (state.settings.outage, state.settings.latency_ms));
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    if outage {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}

impl Api {
    async fn change(
        &self,
        path: &str,
        headers: &HeaderMap,
        params: &Params,
        decide: impl FnOnce(&mut Change<'_>) -> Outcome,
    ) -> Response {
        let key = headers.get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok());
        if key.is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
            return Fault::unreadable("Idempotency keys have 1 to 255 characters.").into_response();
        }
        let digest = params.digest(path);
        let reply = self.sandbox.answer(Keyed { key, digest: &digest }, decide).await;
        if reply.hang {
            self.hang().await;
        }
        respond(reply)
    }

    /// Leaves the client waiting, though all is done.
    async fn hang(&self) {
        let hang_ms = self.sandbox.touch(|state| state.settings.hang_ms);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(hang_ms)) => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn list(
        &self,
        url: &str,
        query: Option<String>,
        items: impl FnOnce(&crate::state::State, &Params) -> Vec<Value>,
    ) -> Response {
        let params = Params::parse(query.unwrap_or_default().as_bytes());
        match self.sandbox.read(|state| items(state, &params)).await {
            Ok(items) => page(url, &params, items).into_response(),
            Err(_) => Fault::internal().into_response(),
        }
    }
}

fn respond(reply: Reply) -> Response {
    // The client that was left hanging must not take this for the answer.
    if reply.hang {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(reply.body)).into_response();
    if reply.replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Newest first, after `starting_after`, at most `limit`.
fn page(url: &str, params: &Params, mut items: Vec<Value>) -> Json<Value> {
    items.reverse();
    if let Some(after) = params.get("starting_after")
        && let Some(at) = items.iter().position(|item| item["id"] == after)
    {
        items.drain(..=at);
    }
    let limit = params
        .get("limit")
        .and_then(|text| text.parse().ok())
        .unwrap_or(10)
        .clamp(1, 100);
    let has_more = items.len() > limit;
    items.truncate(limit);
    Json(json!({"object": "list", "url": url, "has_more": has_more, "data": items}))
}

fn outcome(answer: Result<Value, Fault>) -> Outcome {
    Outcome { answer, hang: false }
}

async fn create_intent(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    api.change("/payment_intents", &headers, &params, |change| {
        change.create_intent(&params)
    })
    .await
}

async fn confirm_intent(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::parse(&body);
    let path = format!("/payment_intents/{id}/confirm");
    api.change(&path, &headers, &params, |change| {
        change.confirm_intent(&id, &params)
    })
    .await
}

async fn cancel_intent(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::parse(&body);
    let path = format!("/payment_intents/{id}/cancel");
    api.change(&path, &headers, &params, |change| {
        outcome(change.cancel_intent(&id, &params))
    })
    .await
}

async fn create_refund(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    api.change("/refunds", &headers, &params, |change| {
        outcome(change.create_refund(&params))
    })
    .await
}

async fn show_intent(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let found = api
        .sandbox
        .read(|state| state.intents.get(&id).map(Intent::to_json))
        .await;
    show("payment_intent", &id, found)
}

async fn show_refund(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let found = api
        .sandbox
        .read(|state| state.refunds.get(&id).map(Refund::to_json))
        .await;
    show("refund", &id, found)
}

fn show(object: &str, id: &str, found: Result<Option<Value>, JournalLost>) -> Response {
    match found {
        Ok(Some(shown)) => Json(shown).into_response(),
        Ok(None) => Fault::missing(object, id).into_response(),
        Err(JournalLost) => Fault::internal().into_response(),
    }
}

async fn list_intents(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let items = |state: &crate::state::State, _: &Params| {
        let ids = state.intent_order.iter();
        ids.filter_map(|id| state.intents.get(id))
            .map(Intent::to_json)
            .collect()
    };
    api.list("/v1/payment_intents", query, items).await
}

/// Understands one clause: `metadata['key']:'value'`.
async fn search_intents(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let Some((key, value)) = params.get("query").and_then(metadata_clause) else {
        let message = "Only queries like metadata['key']:'value' are understood.";
        return Fault::param("query", "parameter_invalid", message).into_response();
    };
    let found = api.sandbox.read(|state| {
        let ids = state.intent_order.iter().filter_map(|id| state.intents.get(id));
        let hits = ids.filter(|intent| intent.metadata.get(key).is_some_and(|known| known == value));
        hits.map(Intent::to_json).collect::<Vec<_>>()
    });
    match found.await {
        Ok(items) => {
            let mut answer = page("/v1/payment_intents/search", &params, items);
            answer["object"] = json!("search_result");
            answer["next_page"] = Value::Null;
            answer.into_response()
        }
        Err(_) => Fault::internal().into_response(),
    }
}

fn metadata_clause(query: &str) -> Option<(&str, &str)> {
    let (key, value) = query.strip_prefix("metadata[")?.split_once("]:")?;
    let bare = |text: &'_ str| -> Option<(usize, usize)> {
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        (text.len() >= 2 && text.ends_with(quote)).then(|| (1, text.len() - 1))
    };
    let (from, to) = bare(key)?;
    let (start, end) = bare(value)?;
    Some((&key[from..to], &value[start..end]))
}

async fn list_refunds(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let items = |state: &crate::state::State, params: &Params| {
        let of = params.get("payment_intent");
        let refunds = state.refund_order.iter().filter_map(|id| state.refunds.get(id));
        let wanted = refunds.filter(|refund| of.is_none_or(|of| refund.payment_intent == of));
        wanted.map(Refund::to_json).collect()
    };
    api.list("/v1/refunds", query, items).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_metadata_clause() {
        assert_eq!(
            metadata_clause("metadata['order_id']:'ord_1'"),
            Some(("order_id", "ord_1"))
        );
        assert_eq!(metadata_clause("metadata[\"a\"]:\"b\""), Some(("a", "b")));
        for wrong in [
            "status:'succeeded'",
            "metadata['a']",
            "metadata[a]:b",
            "metadata[']:'",
        ] {
            assert_eq!(metadata_clause(wrong), None, "{wrong}");
        }
    }
}
