//! Moves an order by asking for it in the admin graph, as any member of staff would.

use std::fmt;

use anyhow::{Result, bail};
use contracts::OrderId;
use serde::{Deserialize, Serialize};
use shopper::graph::Operation;
use shopper::operations::{CancelOrderInput, Input, UserError};
use shopper::target::Target;

/// Makes the awaited call of an order now.
struct RetryOrder;
/// Gives an order up.
struct CancelOrder;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RetryOrderInput {
    order_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryData {
    retry_order: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelData {
    cancel_order: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    order: Option<Answer>,
    user_errors: Vec<UserError>,
}

/// An order as the graph shows it afterwards.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Its number.
    pub number: String,
    /// Its public status.
    pub status: String,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// How it is being carried out.
    pub saga: Option<Saga>,
}

/// The saga as the graph shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saga {
    /// What it waits for.
    pub step: String,
    /// How often that was tried.
    pub attempt: i64,
    /// Whether a person should look.
    pub needs_attention: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
}

impl Operation for RetryOrder {
    const NAME: &'static str = "RetryOrder";
    const TEXT: &'static str = include_str!("../operations/retry_order.graphql");
    type Variables = Input<RetryOrderInput>;
    type Data = RetryData;
}

impl Operation for CancelOrder {
    const NAME: &'static str = "CancelOrder";
    const TEXT: &'static str = include_str!("../operations/cancel_order.graphql");
    type Variables = Input<CancelOrderInput>;
    type Data = CancelData;
}

/// Makes the awaited call now and takes the call for a person back.
pub async fn retry(target: &Target, order: OrderId) -> Result<Answer> {
    let session = target.admin().await?;
    let input = RetryOrderInput {
        order_id: order.to_string(),
    };
    answer(session.run::<RetryOrder>(&Input { input }).await?.retry_order)
}

/// Gives an order up before its money is taken. The key is the order's: asking twice is asking once.
pub async fn cancel(target: &Target, order: OrderId) -> Result<Answer> {
    let session = target.admin().await?;
    let input = CancelOrderInput {
        order_id: order.to_string(),
        idempotency_key: format!("operator-{order}"),
    };
    answer(session.run::<CancelOrder>(&Input { input }).await?.cancel_order)
}

fn answer(payload: Payload) -> Result<Answer> {
    if let Some(refused) = payload.user_errors.first() {
        bail!("refused: {refused}");
    }
    match payload.order {
        Some(order) => Ok(order),
        None => bail!("the graph knows no such order"),
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.number, self.status)?;
        if let Some(reason) = &self.cancel_reason {
            write!(f, " ({reason})")?;
        }
        if let Some(saga) = &self.saga {
            write!(f, ", at {}, attempt {}", saga.step, saga.attempt)?;
            if saga.needs_attention {
                write!(f, ", still needs a person")?;
            }
            if let Some(error) = &saga.last_error {
                write!(f, ": {error}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_error_and_an_order_is_told() {
        let refused = r#"{"order": null, "userErrors": [{"code": "NOT_CANCELLABLE", "message": "too late", "field": null}]}"#;
        let error = answer(serde_json::from_str(refused).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "refused: NOT_CANCELLABLE too late");
        let taken = r#"{"order": {"id": "ord_1", "number": "M-1", "status": "PENDING", "cancelReason": null,
            "saga": {"step": "reserve", "attempt": 1, "needsAttention": false, "lastError": null}}, "userErrors": []}"#;
        let taken = answer(serde_json::from_str(taken).unwrap()).unwrap();
        assert_eq!(taken.to_string(), "M-1 is PENDING, at reserve, attempt 1");
    }
}
