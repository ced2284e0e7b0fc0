//! Orders as order and payment tell of them.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::order::{
    CancelReason, DiscountFact, OrderCreated, OrderLineFact, OrderStatus, OrderStatusChanged, OrderStep,
};
use contracts::payment::RefundCompleted;
use contracts::{
    CategoryId, Currency, Event, EventData, EventId, Money, OrderId, PaymentId, ProductId, RefundId, UserId,
    VariantId,
};
use serde_json::Value;

/// One order's life, told event by event.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) order: OrderId,
    pub(crate) user: UserId,
    pub(crate) placed_at: DateTime<Utc>,
    pub(crate) lines: Vec<OrderLineFact>,
    pub(crate) discount_minor: i64,
    version: i64,
    pub(crate) events: Vec<Value>,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub(crate) fn line(
    product_id: ProductId,
    category_id: Option<CategoryId>,
    price: i64,
    quantity: u32,
) -> OrderLineFact {
    OrderLineFact {
        variant_id: VariantId::from_uuid(product_id.uuid()),
        product_id,
        category_id,
        sku: "SKU".to_owned(),
        title: "Title".to_owned(),
        unit_price: usd(price),
        quantity,
    }
}

/// An event as it travels, under a new id.
pub(crate) fn event<T: EventData>(version: i64, time: DateTime<Utc>, data: T) -> Value {
    let context = contracts::event::EventContext {
        service: "order",
        time,
        traceparent: None,
        correlation_id: None,
    };
    serde_json::to_value(Event::new(EventId::generate(), &context, version, data)).unwrap()
}

/// The same event under another id.
pub(crate) fn renamed(event: &Value) -> Value {
    let mut event = event.clone();
    event["id"] = EventId::generate().to_string().into();
    event
}

impl Life {
    /// An order that was placed.
    pub(crate) fn placed(
        user: UserId,
        placed_at: DateTime<Utc>,
        lines: Vec<OrderLineFact>,
        discount_minor: i64,
    ) -> Self {
        let mut life = Self {
            order: OrderId::generate(),
            user,
            placed_at,
            lines,
            discount_minor,
            version: 1,
            events: Vec::new(),
        };
        let created = OrderCreated {
            order_id: life.order,
            user_id: user,
            total: usd(life.total_minor()),
            lines: life.lines.clone(),
            discount: (discount_minor > 0).then(|| DiscountFact {
                code: "WELCOME-10".parse().unwrap(),
                amount: usd(discount_minor),
            }),
        };
        life.events.push(event(1, placed_at, created));
        life.step(OrderStep::Created, 0, None)
    }

    pub(crate) fn total_minor(&self) -> i64 {
        let lines = self.lines.iter();
        let sum: i64 = lines
            .map(|line| line.unit_price.amount_minor * i64::from(line.quantity))
            .sum();
        sum - self.discount_minor
    }

    fn step(mut self, step: OrderStep, after_s: i64, cancel_reason: Option<CancelReason>) -> Self {
        let moved = OrderStatusChanged {
            order_id: self.order,
            user_id: self.user,
            sequence: self.version,
            step,
            status: OrderStatus::Pending,
            cancel_reason,
            at: self.placed_at + TimeDelta::seconds(after_s),
        };
        self.events.push(event(self.version, moved.at, moved));
        self.version += 1;
        self
    }

    pub(crate) fn paid(self, after_s: i64) -> Self {
        let reserved = self.step(OrderStep::StockReserved, 0, None);
        reserved.step(OrderStep::Paid, after_s, None)
    }

    pub(crate) fn cancelled(self, after_s: i64, why: CancelReason) -> Self {
        self.step(OrderStep::Cancelled, after_s, Some(why))
    }

    /// Version counts the payment's steps.
    pub(crate) fn refunded(mut self, after_s: i64, version: i64, minor: i64) -> Self {
        let refund = RefundCompleted {
            refund_id: RefundId::generate(),
            payment_id: PaymentId::from_uuid(self.order.uuid()),
            order_id: self.order,
            amount: usd(minor),
            reason: "return_1".to_owned(),
            fully_refunded: false,
        };
        let time = self.placed_at + TimeDelta::seconds(after_s);
        self.events.push(event(version, time, refund));
        self
    }
}
