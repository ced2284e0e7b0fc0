//! What an event says of an order, as far as it counts.

use chrono::{DateTime, Utc};
use contracts::order::{CancelReason, OrderCreated, OrderLineFact, OrderStatusChanged, OrderStep};
use contracts::payment::RefundCompleted;
use contracts::{EventData, Money, OrderId};
use serde::Deserialize;
use serde_json::Value;

use super::order::{Line, Placed};

/// Something that happened to an order. Two with the same order, kind and version are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The order.
    pub order: OrderId,
    /// Version of what the event is about: the order, or its payment.
    pub version: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub what: What,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It was placed.
    Placed(Placed),
    /// It was paid, and its units are the buyer's.
    Paid,
    /// It was given up.
    Cancelled(Option<CancelReason>),
    /// Money went back.
    Refunded(Money),
    /// A step that no sum knows.
    Step,
}

impl Fact {
    /// Reads the data of an event; `None` for a kind that is not heard.
    pub fn read(
        kind: &str,
        version: i64,
        time: DateTime<Utc>,
        data: &Value,
    ) -> Result<Option<Self>, serde_json::Error> {
        let (order, at, what) = match kind {
            OrderCreated::TYPE => {
                let data = OrderCreated::deserialize(data)?;
                (data.order_id, time, What::Placed(placed(&data)))
            }
            OrderStatusChanged::TYPE => {
                let data = OrderStatusChanged::deserialize(data)?;
                (data.order_id, data.at, moved(&data))
            }
            RefundCompleted::TYPE => {
                let data = RefundCompleted::deserialize(data)?;
                (data.order_id, time, What::Refunded(data.amount))
            }
            _ => return Ok(None),
        };
        Ok(Some(Self {
            order,
            version,
            at,
            what,
        }))
    }
}

fn placed(data: &OrderCreated) -> Placed {
    Placed {
        buyer: data.user_id,
        total: data.total,
        discount_minor: data
            .discount
            .as_ref()
            .map_or(0, |discount| discount.amount.amount_minor),
        lines: data.lines.iter().map(line).collect(),
    }
}

fn line(line: &OrderLineFact) -> Line {
    let units = i64::from(line.quantity);
    Line {
        product: line.product_id,
        category: line.category_id,
        units,
        sales_minor: line.unit_price.amount_minor.saturating_mul(units),
    }
}

const fn moved(data: &OrderStatusChanged) -> What {
    match data.step {
        OrderStep::Paid => What::Paid,
        OrderStep::Cancelled => What::Cancelled(data.cancel_reason),
        _ => What::Step,
    }
}
