//! Cart, product, inventory and payment as far as order can see them: they keep the promises of their interfaces and
//! lose calls or answers on demand.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use chrono::DateTime;
use contracts::cart::{CartCheckedOut, CartFact, CartLineFact};
use contracts::inventory::{ReservationLine, ReservationState, ReservationView, ReserveStock, ReturnStock};
use contracts::payment::{
    PaymentState, PaymentView, RefundState, RefundView, StartPayment, StartRefund, VoidOutcome, VoidView,
};
use contracts::product::{VariantFact, VariantFacts, VariantLookup};
use contracts::{
    CartId, CategoryId, CouponCode, Currency, Money, OrderId, PaymentId, Problem, ProblemCode, ProductId,
    RefundId, UserId, VariantId,
};
use serde::Serialize;

/// What happens to the next call of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never arrives.
    Lost,
    /// It takes effect, and the answer is lost.
    AnswerLost,
}

#[derive(Default)]
pub(crate) struct Books {
    carts: HashMap<CartId, CartFact>,
    pub(crate) variants: BTreeMap<VariantId, VariantFact>,
    pub(crate) shelf: HashMap<String, i64>,
    pub(crate) holds: HashMap<OrderId, (ReservationState, ReserveStock)>,
    pub(crate) payments: HashMap<OrderId, Payment>,
    pub(crate) refunds: BTreeMap<(OrderId, String), RefundId>,
    /// What each refund sends back.
    pub(crate) sent_back: BTreeMap<(OrderId, String), i64>,
    /// The provider refuses to refund.
    pub(crate) refusing: bool,
    /// Units that came back, by the return's number.
    pub(crate) came_back: BTreeMap<(OrderId, i32), Vec<ReservationLine>>,
    pub(crate) checked_out: Vec<OrderId>,
    /// Calls that arrived, in order.
    pub(crate) calls: Vec<&'static str>,
    faults: HashMap<&'static str, Vec<Fault>>,
    /// Every call arrives twice.
    pub(crate) twice: bool,
}

#[derive(Clone)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) state: PaymentState,
    pub(crate) amount: Money,
}

#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<Books>>);

const DECLINED: &str = "pm_card_chargeDeclined";

impl World {
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    /// A variant at 5.00 with `stock` units.
    pub(crate) fn variant(&self, stock: i64) -> VariantId {
        let variant_id = VariantId::generate();
        let sku = format!("SKU-{variant_id}");
        let fact = VariantFact {
            variant_id,
            sku: sku.clone(),
            product_id: ProductId::generate(),
            category_id: Some(CategoryId::generate()),
            title: "Mug, blue".to_owned(),
            price: Money::new(500, Currency::USD),
            for_sale: true,
        };
        let mut books = self.books();
        books.variants.insert(variant_id, fact);
        books.shelf.insert(sku, stock);
        variant_id
    }

    pub(crate) fn cart(&self, owner: Option<UserId>, lines: &[(VariantId, u32)]) -> CartId {
        let cart_id = CartId::generate();
        let line = |&(variant_id, quantity): &(VariantId, u32)| CartLineFact {
            variant_id,
            quantity,
            seen_price_minor: 500,
        };
        let fact = CartFact {
            cart_id,
            user_id: owner,
            version: 3,
            currency: Currency::USD,
            lines: lines.iter().map(line).collect(),
            coupon: None,
        };
        self.books().carts.insert(cart_id, fact);
        cart_id
    }

    /// The shopper types a coupon in.
    pub(crate) fn apply_coupon(&self, cart: CartId, code: &CouponCode) {
        self.books().carts.get_mut(&cart).unwrap().coupon = Some(code.clone());
    }

    pub(crate) fn fault(&self, call: &'static str, fault: Fault) {
        self.books().faults.entry(call).or_default().push(fault);
    }

    /// The provider takes the money, if it still can; `None` if it can't. Late money goes back by itself.
    pub(crate) fn capture(&self, order: OrderId) -> Option<(PaymentId, Money, bool)> {
        let mut books = self.books();
        let payment = books.payments.get_mut(&order)?;
        let late = payment.state == PaymentState::Voided;
        match payment.state {
            PaymentState::Initiated => payment.state = PaymentState::Captured,
            PaymentState::Voided => payment.state = PaymentState::Refunded,
            _ => return None,
        }
        let told = (payment.id, payment.amount, late);
        if late {
            books
                .refunds
                .insert((order, "late_payment".to_owned()), RefundId::generate());
        }
        Some(told)
    }

    /// The hold ends by itself.
    pub(crate) fn expire(&self, order: OrderId) {
        let mut books = self.books();
        let (state, body) = books.holds.get_mut(&order).unwrap();
        assert_eq!(*state, ReservationState::Held);
        *state = ReservationState::Expired;
        let body = body.clone();
        books.move_units(&body, 1);
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/carts/{id}", get(read_cart))
            .route("/carts/{id}/checked-out", post(checked_out))
            .route("/variants/lookup", post(lookup))
            .route("/reservations/{id}", put(reserve).delete(release))
            .route("/reservations/{id}/confirm", post(confirm))
            .route("/reservations/{id}/restock", post(restock))
            .route("/reservations/{id}/returns/{number}", put(take_back))
            .route("/payments/{id}", put(pay))
            .route("/payments/{id}/void", post(void))
            .route("/payments/{id}/refunds/{reason}", post(refund))
            .with_state(self.clone())
    }

    /// Plays one call: with its faults, and twice if calls are to arrive twice.
    fn play<T: Serialize>(
        &self,
        call: &'static str,
        effect: impl Fn(&mut Books) -> Result<T, Problem>,
    ) -> Response {
        let mut books = self.books();
        let fault = books.faults.get_mut(call).and_then(Vec::pop);
        if fault == Some(Fault::Lost) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        books.calls.push(call);
        let mut answer = effect(&mut books);
        if books.twice {
            answer = effect(&mut books);
        }
        match (fault, answer) {
            (Some(_), _) => StatusCode::BAD_GATEWAY.into_response(),
            (None, Ok(body)) => Json(body).into_response(),
            (None, Err(problem)) => {
                let status = StatusCode::from_u16(problem.status).unwrap();
                (status, Json(problem)).into_response()
            }
        }
    }
}

impl Books {
    fn move_units(&mut self, body: &ReserveStock, sign: i64) {
        for line in &body.lines {
            *self.shelf.get_mut(&line.sku).unwrap() += sign * i64::from(line.quantity);
        }
    }

    fn hold(&mut self, order: OrderId, body: &ReserveStock, state: ReservationState) -> Result<(), Problem> {
        let short = |line: &&contracts::inventory::ReservationLine| {
            self.shelf.get(&line.sku).copied().unwrap_or_default() < i64::from(line.quantity)
        };
        if body.lines.iter().any(|line| short(&line)) {
            return Err(Problem::new(ProblemCode::OutOfStock, "short"));
        }
        self.move_units(body, -1);
        self.holds.insert(order, (state, body.clone()));
        Ok(())
    }

    /// How many of a SKU came back of an order.
    fn back(&self, order: OrderId, sku: &str) -> i64 {
        let of_order = self.came_back.iter().filter(|((of, _), _)| *of == order);
        let lines = of_order
            .flat_map(|(_, lines)| lines)
            .filter(|line| line.sku == sku);
        lines.map(|line| i64::from(line.quantity)).sum()
    }

    fn view(&self, order: OrderId) -> ReservationView {
        ReservationView {
            order_id: order,
            state: self.holds[&order].0,
            expires_at: None,
        }
    }
}

async fn read_cart(State(world): State<World>, Path(cart): Path<CartId>) -> Response {
    world.play("cart", |books| {
        let cart = books.carts.get(&cart).cloned();
        cart.ok_or_else(|| Problem::new(ProblemCode::NotFound, "no such cart"))
    })
}

async fn checked_out(
    State(world): State<World>,
    Path(cart): Path<CartId>,
    Json(body): Json<CartCheckedOut>,
) -> Response {
    world.play("checked_out", |books| {
        if books
            .carts
            .get(&cart)
            .is_some_and(|cart| cart.version == body.version)
        {
            books.carts.remove(&cart);
        }
        books.checked_out.push(body.order_id);
        Ok(())
    })
}

async fn lookup(State(world): State<World>, Json(body): Json<VariantLookup>) -> Response {
    world.play("lookup", |books| {
        let known = body.variant_ids.iter().filter_map(|id| books.variants.get(id));
        Ok(VariantFacts {
            variants: known.cloned().collect(),
        })
    })
}

async fn reserve(
    State(world): State<World>,
    Path(order): Path<OrderId>,
    Json(body): Json<ReserveStock>,
) -> Response {
    world.play("reserve", |books| {
        match books.holds.get(&order) {
            Some((ReservationState::Released, _)) => {
                return Err(Problem::new(ProblemCode::Released, "released before"));
            }
            Some((_, before)) if *before != body => {
                return Err(Problem::new(ProblemCode::BodyMismatch, "another body"));
            }
            Some(_) => {}
            None => books.hold(order, &body, ReservationState::Held)?,
        }
        Ok(books.view(order))
    })
}

async fn release(State(world): State<World>, Path(order): Path<OrderId>) -> Response {
    world.play("release", |books| {
        let tombstone = (
            ReservationState::Released,
            ReserveStock {
                lines: Vec::new(),
                ttl_s: 0,
            },
        );
        let (state, body) = books.holds.entry(order).or_insert(tombstone).clone();
        match state {
            ReservationState::Confirmed => {
                return Err(Problem::new(ProblemCode::AlreadyConfirmed, "sold"));
            }
            ReservationState::Held => books.move_units(&body, 1),
            _ => {}
        }
        books.holds.get_mut(&order).unwrap().0 = ReservationState::Released;
        Ok(books.view(order))
    })
}

async fn confirm(State(world): State<World>, Path(order): Path<OrderId>) -> Response {
    world.play("confirm", |books| {
        let (state, body) = books.holds[&order].clone();
        match state {
            ReservationState::Confirmed => {}
            ReservationState::Held => books.holds.get_mut(&order).unwrap().0 = ReservationState::Confirmed,
            _ => books
                .hold(order, &body, ReservationState::Confirmed)
                .map_err(|_| Problem::new(ProblemCode::Gone, "sold to others"))?,
        }
        Ok(books.view(order))
    })
}

async fn restock(State(world): State<World>, Path(order): Path<OrderId>) -> Response {
    world.play("restock", |books| {
        let (state, body) = books.holds[&order].clone();
        if state == ReservationState::Confirmed {
            for line in &body.lines {
                let left = i64::from(line.quantity) - books.back(order, &line.sku);
                *books.shelf.get_mut(&line.sku).unwrap() += left;
            }
            books.holds.get_mut(&order).unwrap().0 = ReservationState::Restocked;
        }
        Ok(books.view(order))
    })
}

async fn pay(
    State(world): State<World>,
    Path(order): Path<OrderId>,
    Json(body): Json<StartPayment>,
) -> Response {
    world.play("pay", |books| {
        let payment = books.payments.entry(order).or_insert_with(|| Payment {
            id: PaymentId::generate(),
            state: if body.method == DECLINED {
                PaymentState::Failed
            } else {
                PaymentState::Initiated
            },
            amount: body.amount,
        });
        if payment.amount != body.amount {
            return Err(Problem::new(ProblemCode::BodyMismatch, "another amount"));
        }
        match payment.state {
            PaymentState::Failed => Err(Problem::new(ProblemCode::Declined, "declined")),
            PaymentState::Voided => Err(Problem::new(ProblemCode::Voided, "voided")),
            status => Ok(PaymentView {
                payment_id: payment.id,
                order_id: order,
                status,
                amount: payment.amount,
                decline_code: None,
            }),
        }
    })
}

async fn void(State(world): State<World>, Path(order): Path<OrderId>) -> Response {
    world.play("void", |books| {
        let payment = books.payments.entry(order).or_insert_with(|| Payment {
            id: PaymentId::generate(),
            state: PaymentState::Voided,
            amount: Money::new(0, Currency::USD),
        });
        let outcome = match payment.state {
            PaymentState::Captured | PaymentState::Refunded => VoidOutcome::AlreadyCaptured,
            PaymentState::Failed => VoidOutcome::Voided,
            _ => {
                payment.state = PaymentState::Voided;
                VoidOutcome::Voided
            }
        };
        Ok(VoidView { outcome })
    })
}

async fn take_back(
    State(world): State<World>,
    Path((order, number)): Path<(OrderId, i32)>,
    Json(body): Json<ReturnStock>,
) -> Response {
    world.play("take_back", |books| {
        let view = books.view(order);
        if let Some(before) = books.came_back.get(&(order, number)) {
            let same = *before == body.lines;
            return if same {
                Ok(view)
            } else {
                Err(Problem::new(ProblemCode::BodyMismatch, "other lines"))
            };
        }
        let sold = books.holds[&order].1.clone();
        let left = |line: &ReservationLine| {
            let bought = sold.lines.iter().find(|other| other.sku == line.sku);
            bought.map_or(0, |bought| i64::from(bought.quantity)) - books.back(order, &line.sku)
        };
        let fits = body
            .lines
            .iter()
            .all(|line| i64::from(line.quantity) <= left(line));
        if books.holds[&order].0 != ReservationState::Confirmed || !fits {
            return Err(Problem::new(ProblemCode::InvalidState, "more than is sold"));
        }
        for line in &body.lines {
            *books.shelf.get_mut(&line.sku).unwrap() += i64::from(line.quantity);
        }
        books.came_back.insert((order, number), body.lines.clone());
        Ok(view)
    })
}

async fn refund(
    State(world): State<World>,
    Path((order, reason)): Path<(OrderId, String)>,
    Json(body): Json<StartRefund>,
) -> Response {
    world.play("refund", |books| {
        let key = (order, reason.clone());
        let sent: i64 = books
            .sent_back
            .iter()
            .filter(|((of, other), _)| *of == order && *other != reason)
            .map(|(_, minor)| minor)
            .sum();
        let payment = books.payments.get_mut(&order).unwrap();
        let left = payment.amount.amount_minor - sent;
        let minor = body.amount.map_or(left, |amount| amount.amount_minor);
        if books.sent_back.get(&key).is_some_and(|before| *before != minor) {
            return Err(Problem::new(ProblemCode::BodyMismatch, "another amount"));
        }
        if !(1..=left).contains(&minor) {
            return Err(Problem::new(ProblemCode::Invalid, "more than is left"));
        }
        let amount = Money::new(minor, payment.amount.currency);
        let refund_id = *books
            .refunds
            .entry(key.clone())
            .or_insert_with(RefundId::generate);
        let status = if books.refusing {
            RefundState::Failed
        } else {
            payment.state = if minor == left {
                PaymentState::Refunded
            } else {
                PaymentState::PartiallyRefunded
            };
            books.sent_back.insert(key, minor);
            RefundState::Pending
        };
        Ok(RefundView {
            refund_id,
            order_id: order,
            amount,
            status,
        })
    })
}

/// Any instant.
pub(crate) fn long_ago() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}
