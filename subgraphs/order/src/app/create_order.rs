//! Turns a cart into an order.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::cart::CartFact;
use contracts::event::EventContext;
use contracts::inventory::ReservationLine;
use contracts::order::{OrderCreated, OrderLineFact};
use contracts::{CartId, Event, EventId, OrderId, UserId};
use event_bus::OutboxRow;
use pg_kit::idempotency::{self, Claim, Scope};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use service_auth::CallError;
use service_kit::crash_point;

use super::steer::Plan;
use super::{App, AppError, Inner, publish};
use crate::clients::Clients;
use crate::domain::purchase::{Expectation, may_buy};
use crate::domain::{Line, Purchase, Refusal};
use crate::saga::Saga;
use crate::store;
use crate::store::checkout::NewOrder;
use crate::store::saga::{Facts, Job};

const OPERATION: &str = "createOrder";
/// More than product answers in one lookup, and more than anybody buys at once.
const MAX_LINES: usize = crate::clients::MAX_VARIANTS;

/// What a shopper asks for.
#[derive(Debug, Clone, Serialize)]
pub struct CreateOrder {
    /// Which cart.
    pub cart_id: CartId,
    /// The version they saw, if they say.
    pub cart_version: Option<i32>,
    /// The total they agreed to, in major units, if they say.
    pub expected_total: Option<Decimal>,
    /// The provider's payment method.
    pub payment_method: String,
    /// The buyer; stands in the key's scope.
    #[serde(skip)]
    pub user: UserId,
    /// The idempotency key.
    #[serde(skip)]
    pub key: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The order, now or when the key was used first.
    Order(OrderId),
    /// Nothing was changed.
    Refused(Refusal),
    /// The key was used with another input.
    KeyReused,
    /// The same key is being worked on.
    InProgress,
}

impl Created {
    fn replayed(claim: Claim) -> Option<Self> {
        match claim {
            Claim::Fresh => None,
            Claim::Replay(order) => Some(serde_json::from_value(order).map_or(Self::InProgress, Self::Order)),
            Claim::Reused => Some(Self::KeyReused),
            Claim::InProgress => Some(Self::InProgress),
        }
    }
}

impl App {
    /// Answers as soon as the order is durable; the saga goes on by itself.
    pub async fn create_order(&self, request: CreateOrder) -> Result<Created, AppError> {
        let principal = request.user.to_string();
        let scope = Scope {
            principal: &principal,
            operation: OPERATION,
            key: &request.key,
        };
        let hash = idempotency::request_hash(&request);
        if let Some(before) = self.answered(&scope, &hash).await? {
            return Ok(before);
        }
        let (cart, purchase) = match self.clients.purchase(&request).await? {
            Ok(found) => found,
            // A twin may have ordered in between, and the cart is empty because of it.
            Err(refusal) => {
                let before = self.answered(&scope, &hash).await?;
                return Ok(before.unwrap_or(Created::Refused(refusal)));
            }
        };
        let order = self.begin(&request, &purchase);
        let mut tx = self.requests.begin().await?;
        if let Some(before) = Created::replayed(idempotency::claim(&mut tx, &scope, &hash).await?) {
            return Ok(before);
        }
        let new = NewOrder {
            job: &order.plan.job,
            effects: &order.plan.effects,
            lines: &purchase.lines,
            cart: (cart.cart_id, cart.version),
            placed_at: order.placed_at,
        };
        store::checkout::insert(&mut tx, &self.holder, &new).await?;
        event_bus::enqueue_all(&mut tx, &order.events(&purchase, &self.context(&order.plan.job))?).await?;
        let id = order.plan.job.saga.order_id;
        idempotency::complete(&mut tx, &scope, &id).await?;
        crash_point!("creating", id);
        tx.commit().await?;
        crash_point!("created", id);
        self.carts.notify_one();
        self.go_on([order.plan.job]);
        Ok(Created::Order(id))
    }
}

impl Inner {
    /// What the key was answered with before, if it was.
    async fn answered(&self, scope: &Scope<'_>, hash: &[u8; 32]) -> Result<Option<Created>, sqlx::Error> {
        let known = idempotency::peek(&mut *self.requests.acquire().await?, scope, hash).await?;
        Ok(known.and_then(Created::replayed))
    }
}

/// An order whose saga has begun, not yet written.
struct Begun {
    plan: Plan,
    placed_at: DateTime<Utc>,
}

impl Begun {
    fn events(&self, purchase: &Purchase, context: &EventContext) -> Result<Vec<OutboxRow>, sqlx::Error> {
        let data = OrderCreated {
            order_id: self.plan.job.saga.order_id,
            user_id: self.plan.job.order.user_id,
            total: purchase.total,
            lines: purchase.lines.iter().map(fact).collect(),
        };
        let created = Event::new(EventId::generate(), context, 1, data);
        let mut rows =
            vec![OutboxRow::from_event(&created).map_err(|error| sqlx::Error::Encode(error.into()))?];
        rows.extend(publish::status_changes(&self.plan, context)?);
        Ok(rows)
    }
}

fn fact(line: &Line) -> OrderLineFact {
    OrderLineFact {
        variant_id: line.variant_id,
        product_id: line.product_id,
        sku: line.sku.clone(),
        title: line.title.clone(),
        unit_price: line.unit_price,
        quantity: line.quantity,
    }
}

impl Inner {
    fn begin(&self, request: &CreateOrder, purchase: &Purchase) -> Begun {
        let placed_at = self.clock.now();
        let line = |line: &Line| ReservationLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
        };
        let here = event_bus::context(self.host.service, &self.clock);
        let job = Job {
            saga: Saga::new(OrderId::generate(), placed_at + seconds(self.policy.deadline)),
            fence: 1,
            order: Facts {
                user_id: request.user,
                total: purchase.total,
                payment_method: request.payment_method.clone(),
                lines: Some(purchase.lines.iter().map(line).collect()),
                correlation_id: here.correlation_id,
                traceparent: here.traceparent,
            },
        };
        let (saga, effects) = crate::saga::begin(job.saga.clone(), placed_at);
        let plan = Plan {
            job: Job { saga, ..job },
            effects,
            next: store::saga::Next::Me,
        };
        Begun { plan, placed_at }
    }
}

fn seconds(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}

impl Clients {
    /// Reads the cart and today's prices.
    async fn purchase(
        &self,
        request: &CreateOrder,
    ) -> Result<Result<(CartFact, Purchase), Refusal>, AppError> {
        let cart = self
            .cart
            .read(request.cart_id)
            .await
            .map_err(|error| unavailable("The cart", &error))?;
        let Some(cart) = cart.filter(|cart| may_buy(cart, request.user)) else {
            return Ok(Err(Refusal::CartNotFound));
        };
        if cart.lines.is_empty() {
            return Ok(Err(Refusal::CartEmpty));
        }
        if cart.lines.len() > MAX_LINES {
            return Err(AppError::TooLarge(MAX_LINES));
        }
        let variants = cart.lines.iter().map(|line| line.variant_id).collect();
        let facts = self
            .product
            .lookup(variants)
            .await
            .map_err(|error| unavailable("The catalogue", &error))?;
        let expected = Expectation {
            cart_version: request.cart_version,
            total_minor: request.expected_total.map(|total| minor_units(total, &cart)),
        };
        Ok(Purchase::price(&cart, facts, expected).map(|purchase| (cart, purchase)))
    }
}

/// What can't be an amount of the cart's currency equals no total.
fn minor_units(total: Decimal, cart: &CartFact) -> i64 {
    let factor = Decimal::from(10_i64.pow(cart.currency.exponent()));
    total
        .checked_mul(factor)
        .filter(|minor| minor.fract().is_zero())
        .and_then(|minor| minor.to_i64())
        .unwrap_or(-1)
}

fn unavailable(what: &'static str, error: &CallError) -> AppError {
    tracing::warn!(%error, what, "can't check out");
    AppError::Unavailable(what)
}
