//! `/_sandbox`: what a test, a campaign or the audit asks of the sandbox beyond Stripe's API.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::commands::Outcome;
use crate::fault::Fault;
use crate::http::Api;
use crate::objects::{IntentStatus, RefundStatus};
use crate::sandbox::Keyed;
use crate::state::Record;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/settings", get(show_settings).patch(change_settings))
        .route("/totals", get(totals))
        .route("/charges", get(charges))
        .route("/webhooks", get(webhooks))
        .route("/payment_intents/{id}/succeed", post(force_success))
}

/// Sums over everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// How many intents stand where.
    pub intents: BTreeMap<&'static str, u64>,
    /// Money taken, in minor units, by currency.
    pub captured_minor: BTreeMap<String, i64>,
    /// Money given back (refunds that did not fail), by currency.
    pub refunded_minor: BTreeMap<String, i64>,
    /// Intents that will succeed by themselves, some time from now.
    pub intents_due: usize,
    /// Webhooks not accepted yet.
    pub webhooks_pending: usize,
}

/// One payment as the provider sees it, for the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Charge {
    /// The intent.
    pub payment_intent: String,
    /// `metadata[order_id]`, if the merchant gave one.
    pub order_id: Option<String>,
    /// Where the intent stands.
    pub status: IntentStatus,
    /// Lower case.
    pub currency: String,
    /// Minor units taken.
    pub captured_minor: i64,
    /// Minor units given back.
    pub refunded_minor: i64,
    /// How many refunds did not fail.
    pub refunds: u64,
}

async fn show_settings(State(api): State<Api>) -> Response {
    answer(api.sandbox.read(|state| state.settings.clone()).await.ok())
}

async fn change_settings(State(api): State<Api>, Json(patch): Json<Value>) -> Response {
    match api.sandbox.touch(|state| state.settings.patched(&patch)) {
        Err(error) => Fault::unreadable(&error.to_string()).into_response(),
        Ok(_) if api.sandbox.record(vec![Record::Settings(patch)]).await.is_ok() => {
            show_settings(State(api)).await
        }
        Ok(_) => Fault::internal().into_response(),
    }
}

async fn totals(State(api): State<Api>) -> Response {
    answer(api.sandbox.read(sum).await.ok())
}

fn sum(state: &crate::state::State) -> Totals {
    let mut totals = Totals {
        webhooks_pending: state.deliveries.len(),
        ..Totals::default()
    };
    for intent in state.intents.values() {
        *totals.intents.entry(intent.status.as_str()).or_default() += 1;
        totals.intents_due += usize::from(intent.succeeds_at.is_some());
        *totals.captured_minor.entry(intent.currency.clone()).or_default() += intent.amount_received;
        *totals.refunded_minor.entry(intent.currency.clone()).or_default() += intent.amount_refunded;
    }
    totals
}

async fn charges(State(api): State<Api>) -> Response {
    answer(api.sandbox.read(list_charges).await.ok())
}

fn list_charges(state: &crate::state::State) -> Vec<Charge> {
    let mut refunds: BTreeMap<&str, u64> = BTreeMap::new();
    for refund in state
        .refunds
        .values()
        .filter(|refund| refund.status != RefundStatus::Failed)
    {
        *refunds.entry(&refund.payment_intent).or_default() += 1;
    }
    let intents = state.intent_order.iter().filter_map(|id| state.intents.get(id));
    intents
        .map(|intent| Charge {
            payment_intent: intent.id.clone(),
            order_id: intent.metadata.get("order_id").cloned(),
            status: intent.status,
            currency: intent.currency.clone(),
            captured_minor: intent.amount_received,
            refunded_minor: intent.amount_refunded,
            refunds: refunds.get(intent.id.as_str()).copied().unwrap_or_default(),
        })
        .collect()
}

async fn webhooks(State(api): State<Api>) -> Response {
    let pending = |state: &crate::state::State| {
        state
            .deliveries
            .values()
            .map(|delivery| delivery.event.to_json())
            .collect::<Vec<_>>()
    };
    answer(api.sandbox.read(pending).await.ok())
}

async fn force_success(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let keyed = Keyed {
        key: None,
        digest: "",
    };
    let reply = api
        .sandbox
        .answer(keyed, |change| Outcome {
            answer: change.force_success(&id),
            hang: false,
        })
        .await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(reply.body)).into_response()
}

fn answer<T: Serialize>(seen: Option<T>) -> Response {
    match seen {
        Some(seen) => Json(seen).into_response(),
        None => Fault::internal().into_response(),
    }
}
