//! Stripe's JSON, as far as it is read here, and its translation into the domain's words.

use std::collections::HashMap;

use contracts::{Currency, Money};
use serde::Deserialize;

use crate::domain::{News, RefundNews, RefundReport, Report};

/// The object has no currency we can name, so nothing can be said about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider's currency {0:?} is not one")]
pub struct UnknownCurrency(String);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    status: String,
    #[serde(default)]
    last_payment_error: Option<PaymentError>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
struct PaymentError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

impl Intent {
    pub(super) fn report(self) -> Result<Report, UnknownCurrency> {
        let error = self.last_payment_error;
        let news = match self.status.as_str() {
            "succeeded" => News::Captured,
            "canceled" => News::Cancelled,
            "requires_payment_method" if error.is_some() => News::Declined,
            _ => News::Processing,
        };
        // What counts is what was taken, not what was to be taken.
        let amount = if news == News::Captured {
            self.amount_received
        } else {
            self.amount
        };
        let decline_code = match news {
            News::Declined => error.and_then(|error| error.decline_code.or(error.code)),
            News::Cancelled => Some("canceled".to_owned()),
            _ => None,
        };
        Ok(Report {
            payment_id: self.metadata.get("payment_id").and_then(|id| id.parse().ok()),
            psp_ref: self.id,
            news,
            amount: money(amount, &self.currency)?,
            decline_code,
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refund {
    id: String,
    amount: i64,
    currency: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

impl Refund {
    pub(super) fn report(self) -> Result<RefundReport, UnknownCurrency> {
        let news = match self.status.as_deref() {
            Some("succeeded") => RefundNews::Succeeded,
            Some("failed" | "canceled") => RefundNews::Failed,
            _ => RefundNews::Pending,
        };
        Ok(RefundReport {
            refund_id: self.metadata.get("refund_id").and_then(|id| id.parse().ok()),
            psp_ref: self.id,
            payment_ref: self.payment_intent.unwrap_or_default(),
            news,
            amount: money(self.amount, &self.currency)?,
        })
    }
}

fn money(amount_minor: i64, currency: &str) -> Result<Money, UnknownCurrency> {
    let currency: Currency = currency
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| UnknownCurrency(currency.to_owned()))?;
    Ok(Money::new(amount_minor, currency))
}

#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorObject,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorObject {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) payment_intent: Option<Intent>,
}

/// A webhook, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The provider's id of the event; duplicates share it.
    pub id: String,
    /// Such as `payment_intent.succeeded`.
    pub kind: String,
    /// What it is about.
    pub about: About,
}

/// What a webhook is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A payment.
    Payment(Report),
    /// A refund.
    Refund(RefundReport),
    /// Something that is of no interest here.
    Other,
}

/// Why a signed webhook can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not the JSON it should be.
    #[error("not an event: {0}")]
    Json(#[from] serde_json::Error),
    /// See there.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: serde_json::Value,
}

/// Reads the body of a webhook whose signature was verified.
pub fn read_webhook(body: &[u8]) -> Result<Webhook, ReadError> {
    let Event { id, kind, data } = serde_json::from_slice(body)?;
    let about = match data.object.get("object").and_then(serde_json::Value::as_str) {
        Some("payment_intent") => About::Payment(serde_json::from_value::<Intent>(data.object)?.report()?),
        Some("refund") => About::Refund(serde_json::from_value::<Refund>(data.object)?.report()?),
        _ => About::Other,
    };
    Ok(Webhook { id, kind, about })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::sample::select(vec![
                "succeeded",
                "canceled",
                "payment_intent",
                "refund",
                "usd",
                "xxx",
                "ord_01h455vb4pex5vsknk084sn02q"
            ])
            .prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_webhook(&body);
        }

        #[test]
        fn any_event_is_read_or_refused(
            object in prop::sample::select(vec!["payment_intent", "refund", "charge"]),
            fields in prop::collection::vec((prop::sample::select(vec!["id", "status", "amount", "amount_received", "currency", "metadata", "payment_intent", "last_payment_error", "latest_charge", "failure_reason"]), leaf()), 0..10),
        ) {
            let mut about = json!({ "object": object, "id": "x_1", "status": "succeeded", "amount": 1250, "currency": "usd", "metadata": {} });
            for (name, value) in fields {
                about[name] = value;
            }
            let _ = read_webhook(json!({ "id": "evt_1", "type": "any", "data": { "object": about } }).to_string().as_bytes());
        }
    }
}
