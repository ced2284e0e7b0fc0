//! Turns a cart into an order.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::cart::CartFact;
use contracts::event::EventContext;
use contracts::inventory::ReservationLine;
use contracts::order::{DiscountFact, OrderCreated, OrderLineFact};
use contracts::{CartId, CouponCode, Event, EventId, Money, OrderId, UserId};
use event_bus::OutboxRow;
use pg_kit::idempotency::{self, Claim, Scope};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use service_auth::CallError;
use service_kit::crash_point;
use service_kit::refusal::{Door, refused};
use sqlx::PgConnection;

use super::steer::Plan;
use super::{App, AppError, Inner, publish};
use crate::domain::coupon::CouponProblem;
use crate::domain::purchase::{Expectation, may_buy};
use crate::domain::{Coupon, Discount, Line, Purchase, Refusal};
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
        let (cart, purchase) = match self.purchase(&request).await? {
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
            discount: purchase.discount.as_ref(),
            cart: (cart.cart_id, cart.version),
            placed_at: order.placed_at,
        };
        store::checkout::insert(&mut tx, &self.holder, &new).await?;
        if let Some(refusal) = self.redeem(&mut tx, &order, &purchase).await? {
            tx.rollback().await?;
            return Ok(Created::Refused(refusal));
        }
        event_bus::enqueue_all(&mut tx, &order.events(&purchase, &self.context(&order.plan))?).await?;
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
            lines: purchase.lines.iter().map(|line| fact(line, purchase)).collect(),
            discount: purchase.discount.as_ref().map(|discount| DiscountFact {
                code: discount.code.clone(),
                amount: discount.amount,
            }),
        };
        let created = Event::new(EventId::generate(), context, 1, data);
        let mut rows =
            vec![OutboxRow::from_event(&created).map_err(|error| sqlx::Error::Encode(error.into()))?];
        rows.extend(publish::status_changes(&self.plan, context)?);
        Ok(rows)
    }
}

fn fact(line: &Line, purchase: &Purchase) -> OrderLineFact {
    OrderLineFact {
        variant_id: line.variant_id,
        product_id: line.product_id,
        category_id: purchase.categories.get(&line.product_id).copied(),
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
                has_coupon: purchase.discount.is_some(),
                lines: Some(purchase.lines.iter().map(line).collect()),
                correlation_id: here.correlation_id,
                traceparent: here.traceparent.clone(),
            },
        };
        let (saga, effects) = crate::saga::begin(job.saga.clone(), placed_at);
        let plan = Plan {
            job: Job { saga, ..job },
            effects,
            next: store::saga::Next::Me,
            traceparent: here.traceparent,
        };
        Begun { plan, placed_at }
    }
}

fn seconds(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}

impl Inner {
    /// Reads the cart, today's prices and what the cart's coupon is good for.
    async fn purchase(
        &self,
        request: &CreateOrder,
    ) -> Result<Result<(CartFact, Purchase), Refusal>, AppError> {
        let cart = self
            .clients
            .cart
            .read(request.cart_id)
            .await
            .map_err(|error| unavailable("The cart", &error))?;
        let Some(cart) = cart else {
            return Ok(Err(Refusal::CartNotFound));
        };
        if !may_buy(&cart, request.user) {
            let why = "it is somebody else's";
            refused(Door::Ownership, request.user, cart.cart_id, "CART_NOT_FOUND", why);
            return Ok(Err(Refusal::CartNotFound));
        }
        if cart.lines.is_empty() {
            return Ok(Err(Refusal::CartEmpty));
        }
        if cart.lines.len() > MAX_LINES {
            return Err(AppError::TooLarge(MAX_LINES));
        }
        let variants = cart.lines.iter().map(|line| line.variant_id).collect();
        let facts = self
            .clients
            .product
            .lookup(variants)
            .await
            .map_err(|error| unavailable("The catalogue", &error))?;
        let expected = Expectation {
            cart_version: request.cart_version,
            total_minor: request.expected_total.map(|total| minor_units(total, &cart)),
        };
        let offer = match &cart.coupon {
            Some(code) => Some(self.offer(code, request.user).await?),
            None => None,
        };
        let now = self.clock.now();
        let discount = |subtotal| offer.map(|offer| offer.take_off(subtotal, now)).transpose();
        Ok(Purchase::price(&cart, facts, expected, discount).map(|purchase| (cart, purchase)))
    }

    /// A coupon as it is now. It is asked again, under its lock, when the order is written.
    async fn offer(&self, code: &CouponCode, user: UserId) -> Result<Offer, AppError> {
        let mut conn = self.requests.acquire().await?;
        let coupon = store::coupons::by_codes(&mut *conn, std::slice::from_ref(code))
            .await?
            .pop();
        let used = store::coupons::used(&mut *conn, &[(code.clone(), user)]).await?;
        Ok(Offer {
            coupon,
            used: used.first().map_or(0, |(_, used)| *used),
        })
    }

    /// Spends the coupon the order was priced with; why not, if it gives nothing any more.
    async fn redeem(
        &self,
        tx: &mut PgConnection,
        order: &Begun,
        purchase: &Purchase,
    ) -> Result<Option<Refusal>, sqlx::Error> {
        let Some(discount) = &purchase.discount else {
            return Ok(None);
        };
        let job = &order.plan.job;
        let whose = (job.saga.order_id, job.order.user_id);
        let spent = store::coupons::redeem(tx, whose, (purchase.subtotal, discount), order.placed_at).await?;
        Ok(spent.err().map(Refusal::Coupon))
    }
}

/// A coupon that a cart names, if there is one.
struct Offer {
    coupon: Option<Coupon>,
    /// Orders of the buyer that use it.
    used: u32,
}

impl Offer {
    fn take_off(self, subtotal: Money, now: DateTime<Utc>) -> Result<Discount, CouponProblem> {
        let coupon = self.coupon.ok_or(CouponProblem::Unknown)?;
        let amount = coupon.discount(subtotal, self.used, now)?;
        Ok(Discount {
            code: coupon.code,
            amount,
        })
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
