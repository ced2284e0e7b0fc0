//! The provider's objects: payment intents, refunds and events, and how they look on the wire.
//!
//! Owns their fields and their JSON. Must not know HTTP, the journal or who asks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::method::Behaviour;

/// Version of Stripe's API whose objects these resemble.
pub const API_VERSION: &str = "2025-03-31.basil";

/// Where a payment intent stands, in Stripe's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// Has no (working) payment method.
    RequiresPaymentMethod,
    /// Has a method and waits for `confirm`.
    RequiresConfirmation,
    /// The bank has not decided.
    Processing,
    /// The money was taken.
    Succeeded,
    /// Given up.
    Canceled,
}

impl IntentStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// Why a card was declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// Stripe's decline code, such as `insufficient_funds`.
    pub decline_code: String,
    /// For a person.
    pub message: String,
}

impl Decline {
    /// The `error` object of an answer, and `last_payment_error` of an intent.
    pub fn to_json(&self) -> Value {
        json!({
            "type": "card_error",
            "code": "card_declined",
            "decline_code": self.decline_code,
            "message": self.message,
        })
    }
}

/// A payment intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// `pi_...`
    pub id: String,
    /// Minor units, 1 or more.
    pub amount: i64,
    /// Lower case, as Stripe writes it.
    pub currency: String,
    /// Where it stands.
    pub status: IntentStatus,
    /// Such as `pm_card_visa`.
    pub payment_method: Option<String>,
    /// What the merchant attached.
    pub metadata: BTreeMap<String, String>,
    /// What the merchant wrote.
    pub description: Option<String>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was cancelled, if it was.
    pub canceled_at: Option<DateTime<Utc>>,
    /// Why, if the merchant said.
    pub cancellation_reason: Option<String>,
    /// Why the last confirmation failed.
    pub last_error: Option<Decline>,
    /// `ch_...`, once the money was taken.
    pub charge: Option<String>,
    /// Minor units taken.
    pub amount_received: i64,
    /// Minor units given back.
    pub amount_refunded: i64,
    /// How the bank acts on it, decided at the first confirmation.
    pub behaviour: Option<Behaviour>,
    /// When it succeeds by itself, if nothing comes between.
    pub succeeds_at: Option<DateTime<Utc>>,
}

impl Intent {
    /// What the API shows.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": self.amount_received,
            "automatic_payment_methods": {"allow_redirects": "never", "enabled": true},
            "canceled_at": self.canceled_at.map(|at| at.timestamp()),
            "cancellation_reason": self.cancellation_reason,
            "capture_method": "automatic_async",
            "client_secret": format!("{}_secret_sandbox", self.id),
            "confirmation_method": "automatic",
            "created": self.created.timestamp(),
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "last_payment_error": self.last_error.as_ref().map(Decline::to_json),
            "latest_charge": self.charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": null,
            "payment_method": self.payment_method,
            "payment_method_types": ["card"],
            "status": self.status.as_str(),
        })
    }
}

/// Where a refund stands, in Stripe's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// Through.
    Succeeded,
    /// Came back.
    Failed,
}

impl RefundStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// `re_...`
    pub id: String,
    /// The refunded intent.
    pub payment_intent: String,
    /// Its charge.
    pub charge: String,
    /// Minor units.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// One of Stripe's three reasons.
    pub reason: Option<String>,
    /// What the merchant attached.
    pub metadata: BTreeMap<String, String>,
    /// Where it stands.
    pub status: RefundStatus,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it is settled, and how, while it is pending.
    pub settles: Option<(DateTime<Utc>, RefundStatus)>,
}

impl Refund {
    /// What the API shows.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "charge": self.charge,
            "created": self.created.timestamp(),
            "currency": self.currency,
            "failure_reason": (self.status == RefundStatus::Failed).then_some("expired_or_canceled_card"),
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "status": self.status.as_str(),
        })
    }
}

/// A webhook event. `object` is what the object looked like when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// `evt_...`; duplicates share it.
    pub id: String,
    /// Such as `payment_intent.succeeded`.
    pub kind: String,
    /// When it happened.
    pub created: DateTime<Utc>,
    /// The snapshot.
    pub object: Value,
}

impl Event {
    /// The body of the webhook.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.created.timestamp(),
            "data": {"object": self.object},
            "livemode": false,
            "pending_webhooks": 1,
            "request": {"id": null, "idempotency_key": null},
            "type": self.kind,
        })
    }
}
