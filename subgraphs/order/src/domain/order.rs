//! An order as it was placed: what was bought, by whom, for how much.

use std::fmt;

use chrono::{DateTime, Utc};
use contracts::order::{CancelReason, OrderStatus, OrderStep};
use contracts::{Money, OrderId, ProductId, Sku, UserId, VariantId};

use super::returns::is_returnable;
use super::{Discount, State};
use crate::saga::ActionKind;

/// The short number people say on the telephone, such as `M-100001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderNumber(pub i64);

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "M-{}", self.0)
    }
}

/// An order without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its number for people.
    pub number: OrderNumber,
    /// The buyer.
    pub user_id: UserId,
    /// Where it is.
    pub state: State,
    /// Rises by one with every step; equals the sequence of its last event.
    pub version: i64,
    /// What is paid for it.
    pub total: Money,
    /// What a coupon took off the sum of its lines.
    pub discount: Option<Discount>,
    /// What its returns promise to send back, or have sent back.
    pub returned: Money,
    /// Why it was cancelled, once it is.
    pub cancel_reason: Option<CancelReason>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
}

impl Order {
    /// The sum of its lines.
    pub fn subtotal(&self) -> Money {
        let off = self
            .discount
            .as_ref()
            .map_or(0, |discount| discount.amount.amount_minor);
        Money::new(self.total.amount_minor.saturating_add(off), self.total.currency)
    }

    /// What can still be sent back of it.
    pub fn returnable(&self) -> Money {
        let left = if is_returnable(self.state) {
            self.total.amount_minor - self.returned.amount_minor
        } else {
            0
        };
        Money::new(left, self.total.currency)
    }

    /// What the public sees of its state.
    pub const fn status(&self) -> OrderStatus {
        self.state.public(self.cancel_reason)
    }
}

/// One line: a snapshot of what was bought at the price of that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the order, from 1.
    pub line_no: i32,
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: Sku,
    /// What it was called.
    pub title: String,
    /// The price of one.
    pub unit_price: Money,
    /// How many, 1 or more.
    pub quantity: u32,
    /// How many of them came back.
    pub returned: u32,
}

impl Line {
    /// Price times quantity. It was checked for overflow when the order was placed.
    pub fn total(&self) -> Money {
        self.unit_price
            .times(self.quantity)
            .unwrap_or(Money::new(i64::MAX, self.unit_price.currency))
    }
}

/// One step of an order's history, as the public sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The order's version after it.
    pub sequence: i64,
    /// What happened.
    pub step: OrderStep,
    /// What the public sees now.
    pub status: OrderStatus,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which orders a list shows; what is absent doesn't matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// In one of these statuses.
    pub statuses: Option<Vec<OrderStatus>>,
    /// Needing a person, or not.
    pub needs_attention: Option<bool>,
    /// Of this buyer.
    pub user: Option<UserId>,
    /// Found by this.
    pub find: Option<Find>,
    /// Placed at that moment or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Placed before that moment.
    pub placed_before: Option<DateTime<Utc>>,
}

impl ListFilter {
    /// Whether it looks for something, so that it suits a list and no feed.
    pub const fn is_search(&self) -> bool {
        self.find.is_some() || self.placed_from.is_some() || self.placed_before.is_some()
    }
}

/// What an operator looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// The order of this id.
    Order(OrderId),
    /// The order of this number.
    Number(i64),
    /// The orders of this buyer.
    User(UserId),
    /// Orders with a line whose SKU and title begin words with all of these.
    Words(Vec<String>),
}

impl Find {
    /// Reads what was typed in; `None` if there is nothing to look for. A number with or without its `M-` is an order's;
    /// order knows no e-mail addresses, so that one is words and finds nothing.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(order) = text.parse() {
            return Some(Self::Order(order));
        }
        if let Ok(user) = text.parse() {
            return Some(Self::User(user));
        }
        let number = text
            .strip_prefix(['M', 'm'])
            .and_then(|rest| rest.strip_prefix('-'));
        let digits = number.or_else(|| (text.len() >= 6).then_some(text));
        if let Some(digits) = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            && let Ok(number) = digits.parse()
        {
            return Some(Self::Number(number));
        }
        let words: Vec<_> = text
            .split(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        (!words.is_empty()).then_some(Self::Words(words))
    }
}

/// A saga as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaView {
    /// The call that is awaited, or the order's state if none is.
    pub step: String,
    /// How many times that call was started.
    pub attempt: i32,
    /// Whether a person should look.
    pub needs_attention: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When an unpaid order is given up.
    pub deadline_at: DateTime<Utc>,
    /// The trace of the request that placed the order.
    pub trace_id: Option<String>,
    /// That request's correlation id.
    pub correlation_id: Option<String>,
    /// The step log.
    pub steps: Vec<SagaStep>,
}

/// A call of the step log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaStep {
    /// Its name.
    pub name: &'static str,
    /// Whether it does or undoes.
    pub kind: ActionKind,
    /// How it stands.
    pub state: StepState,
    /// How many times it was started.
    pub attempts: i32,
    /// When it was started first.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How a call of the step log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Started; its outcome is not known.
    Started,
    /// It did what it should.
    Done,
    /// It was refused, or does not matter any more.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_in_is_read() {
        let (order, user) = (OrderId::generate(), UserId::generate());
        let words = |words: &[&str]| Some(Find::Words(words.iter().map(|word| (*word).to_owned()).collect()));
        for (text, find) in [
            (format!(" {order} "), Some(Find::Order(order))),
            (user.to_string(), Some(Find::User(user))),
            ("M-100001".to_owned(), Some(Find::Number(100_001))),
            ("m-7".to_owned(), Some(Find::Number(7))),
            ("100001".to_owned(), Some(Find::Number(100_001))),
            ("250".to_owned(), words(&["250"])),
            ("TEA-Assam".to_owned(), words(&["tea", "assam"])),
            ("Käse & 'Brot':*".to_owned(), words(&["käse", "brot"])),
            (
                "99999999999999999999".to_owned(),
                words(&["99999999999999999999"]),
            ),
            ("M-".to_owned(), words(&["m"])),
            (" -' ".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(Find::read(&text), find, "{text}");
        }
    }
}
