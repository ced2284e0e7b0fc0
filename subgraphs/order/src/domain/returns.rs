//! Returns: what may come back of an order, and what becomes of a return that was asked for. Pure.
//!
//! A return is two promises, money and units, each kept by one call that may be made any number of times. It stands
//! beside the order's saga and never moves the order: a returned order stays PAID, SHIPPED or DELIVERED.

use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, Sku};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Line, Order, State, shares};
use crate::saga::{ATTENTION_AFTER, Due};

/// What staff ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Wanted {
    /// An amount for nothing that comes back, such as for a scratch.
    Amount(Money),
    /// Units that came back, paid back at what was paid for them.
    Lines(Vec<WantedLine>),
}

/// Units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WantedLine {
    /// The line's place in its order.
    pub line_no: i32,
    /// How many, 1 or more.
    pub quantity: u32,
    /// Whether they go back on the shelf.
    pub restock: bool,
}

/// Why nothing comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReturnProblem {
    /// The order is not paid for, or is being refunded whole.
    #[error("Only an order that is paid, shipped or delivered can be returned")]
    WrongState,
    /// The order has no such line, or it is named twice.
    #[error("The order has no such line, or it is named twice")]
    NoSuchLine {
        /// Its place in the request.
        index: usize,
    },
    /// Fewer are left with the buyer.
    #[error("Only {left} of this line can still come back")]
    TooManyUnits {
        /// Its place in the request.
        index: usize,
        /// How many.
        left: u32,
    },
    /// Less is left of what was paid.
    #[error("Only {} of what was paid is left", shown(*.left))]
    TooMuchMoney {
        /// How much.
        left: Money,
    },
    /// The order is paid in another currency.
    #[error("The order was paid in {}", .0.as_str())]
    OtherCurrency(contracts::Currency),
    /// A refund of the whole has to wait for what is under way.
    #[error("A return of this order is under way: wait for it, or retry it")]
    UnderWay,
    /// Units that came back and are not for sale would be put on the shelf with the others.
    #[error(
        "Some units came back and are not for sale: return the other lines, or refund the rest without restocking"
    )]
    NotForSale,
}

/// Such as "12.50 USD".
fn shown(money: Money) -> String {
    let amount = Decimal::new(money.amount_minor, money.currency.exponent());
    format!("{amount} {}", money.currency.as_str())
}

/// What a return promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The money; 0 if the units cost nothing, or if all of it went back before.
    pub amount_minor: i64,
    /// Where the money stands.
    pub money: MoneyBack,
    /// Where the units stand.
    pub units: UnitsBack,
}

/// Whether an order can be returned, by its state.
pub const fn is_returnable(state: State) -> bool {
    matches!(state, State::Paid | State::Shipped | State::Delivered)
}

/// What may come back of an order, given what came back before.
pub fn promise(order: &Order, lines: &[Line], wanted: &Wanted) -> Result<Promise, ReturnProblem> {
    if !is_returnable(order.state) {
        return Err(ReturnProblem::WrongState);
    }
    let left = order.returnable();
    let (amount_minor, restock) = match wanted {
        Wanted::Amount(amount) if amount.currency != left.currency => {
            return Err(ReturnProblem::OtherCurrency(left.currency));
        }
        Wanted::Amount(amount) if !(1..=left.amount_minor).contains(&amount.amount_minor) => {
            return Err(ReturnProblem::TooMuchMoney { left });
        }
        Wanted::Amount(amount) => (amount.amount_minor, false),
        Wanted::Lines(wanted) => {
            let worth = worth(order, lines, wanted)?;
            (
                worth.min(left.amount_minor),
                wanted.iter().any(|line| line.restock),
            )
        }
    };
    Ok(Promise {
        amount_minor,
        money: if amount_minor > 0 {
            MoneyBack::Due
        } else {
            MoneyBack::Nothing
        },
        units: if restock {
            UnitsBack::Due
        } else {
            UnitsBack::Nothing
        },
    })
}

fn worth(order: &Order, lines: &[Line], wanted: &[WantedLine]) -> Result<i64, ReturnProblem> {
    let discount = order
        .discount
        .as_ref()
        .map_or(0, |discount| discount.amount.amount_minor);
    let shares = shares::of_lines(lines, discount);
    let mut sum = 0;
    for (index, asked) in wanted.iter().enumerate() {
        let twice = wanted[..index].iter().any(|other| other.line_no == asked.line_no);
        let found = lines
            .iter()
            .zip(&shares)
            .find(|(line, _)| line.line_no == asked.line_no);
        let Some((line, share)) = found.filter(|_| !twice) else {
            return Err(ReturnProblem::NoSuchLine { index });
        };
        let left = line.quantity.saturating_sub(line.returned);
        if !(1..=left).contains(&asked.quantity) {
            return Err(ReturnProblem::TooManyUnits { index, left });
        }
        sum += shares::of_units(*share, line.quantity, line.returned, asked.quantity);
    }
    Ok(sum)
}

/// Where the money of a return stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoneyBack {
    /// None was promised.
    Nothing,
    /// To be asked for.
    Due,
    /// Payment has accepted it.
    Asked,
    /// It went back.
    Done,
    /// It was refused for good; a person has to see to it.
    Refused,
}

/// Where the units of a return stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitsBack {
    /// None go back on the shelf.
    Nothing,
    /// To be put there.
    Due,
    /// They are there.
    Done,
    /// It was refused for good; a person has to see to it.
    Refused,
}

/// How a return stands, as the public sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnStatus {
    /// Asked for.
    Requested,
    /// The money went back; the units are not on the shelf yet.
    Refunded,
    /// The units are on the shelf; the money is on its way.
    Restocked,
    /// Done.
    Done,
}

/// A call to another service. Order and number are its key, for money with the try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Send the money back.
    Refund,
    /// Put the units on the shelf.
    Restock,
}

impl Call {
    /// Its name in logs and crash points.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "return-refund",
            Self::Restock => "return-restock",
        }
    }
}

/// What is heard of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The money went back, by answer or by event.
    MoneyWentBack,
    /// Payment has accepted it.
    MoneyOnItsWay,
    /// The units are on the shelf.
    UnitsOnShelf,
    /// No, for good.
    Refused(Call, String),
    /// Nothing certain.
    NoAnswer(String),
}

/// A return as the worker carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Its order.
    pub order_id: OrderId,
    /// From 1 in each order.
    pub number: i32,
    /// How much goes back.
    pub amount: Money,
    /// Where the money stands.
    pub money: MoneyBack,
    /// Where the units stand.
    pub units: UnitsBack,
    /// Which refund it is: another after a person had one that was refused made anew.
    pub refund_try: i32,
    /// How many times the awaited call was started.
    pub attempt: u32,
    /// When it is to be made.
    pub due: Due,
    /// Whether a person should look.
    pub needs_attention: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When all was done.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Return {
    /// The call that is to be made. The money is asked for first, since it is what the buyer waits for; while it is on its
    /// way the units need not wait.
    pub const fn call(&self) -> Option<Call> {
        match (self.money, self.units) {
            (MoneyBack::Due, _) => Some(Call::Refund),
            (_, UnitsBack::Due) => Some(Call::Restock),
            (MoneyBack::Asked, _) => Some(Call::Refund),
            _ => None,
        }
    }

    /// How it stands.
    pub const fn status(&self) -> ReturnStatus {
        status(self.money, self.units)
    }

    /// The reason key of its refund.
    pub fn reason(&self) -> String {
        match self.refund_try {
            1 => format!("{REASON}{}", self.number),
            again => format!("{REASON}{}_{again}", self.number),
        }
    }

    /// Takes what is heard; hearing it again changes nothing.
    pub fn hear(&mut self, heard: Heard, now: DateTime<Utc>) {
        let (call, before) = (self.call(), (self.money, self.units));
        match heard {
            // Also one that payment had refused: the provider has the last word.
            Heard::MoneyWentBack if self.money != MoneyBack::Nothing => self.money = MoneyBack::Done,
            Heard::MoneyOnItsWay if self.money == MoneyBack::Due => self.money = MoneyBack::Asked,
            Heard::UnitsOnShelf if self.units != UnitsBack::Nothing => self.units = UnitsBack::Done,
            Heard::Refused(Call::Refund, why) if matches!(self.money, MoneyBack::Due | MoneyBack::Asked) => {
                self.money = MoneyBack::Refused;
                self.last_error = Some(why);
            }
            Heard::Refused(Call::Restock, why) if self.units == UnitsBack::Due => {
                self.units = UnitsBack::Refused;
                self.last_error = Some(why);
            }
            Heard::NoAnswer(why) => {
                self.last_error = Some(why);
                self.needs_attention |= self.attempt >= ATTENTION_AFTER;
                self.due = if call.is_some() { Due::Backoff } else { Due::Never };
                return;
            }
            _ => {}
        }
        let refused = self.money == MoneyBack::Refused || self.units == UnitsBack::Refused;
        self.needs_attention = refused;
        if !refused {
            self.last_error = None;
        }
        let moved = before != (self.money, self.units);
        self.due = match self.call() {
            None => Due::Never,
            Some(Call::Refund) if self.money == MoneyBack::Asked => Due::Recheck,
            Some(_) => Due::Now,
        };
        if moved && self.call() != call || self.due == Due::Recheck {
            self.attempt = 0;
        }
        if self.status() == ReturnStatus::Done {
            self.ended_at.get_or_insert(now);
        }
    }

    /// A person has repaired what stood in the way: what was refused is asked for anew. False if nothing is open.
    pub fn retry(&mut self) -> bool {
        if self.money == MoneyBack::Refused {
            self.money = MoneyBack::Due;
            self.refund_try += 1;
        }
        if self.units == UnitsBack::Refused {
            self.units = UnitsBack::Due;
        }
        if self.call().is_none() {
            return false;
        }
        self.attempt = 0;
        self.needs_attention = false;
        self.last_error = None;
        self.due = Due::Now;
        true
    }
}

/// How a return stands.
pub const fn status(money: MoneyBack, units: UnitsBack) -> ReturnStatus {
    let paid = matches!(money, MoneyBack::Nothing | MoneyBack::Done);
    let stocked = matches!(units, UnitsBack::Nothing | UnitsBack::Done);
    match (paid, stocked) {
        (true, true) => ReturnStatus::Done,
        (true, false) if matches!(money, MoneyBack::Done) => ReturnStatus::Refunded,
        (false, true) if matches!(units, UnitsBack::Done) => ReturnStatus::Restocked,
        _ => ReturnStatus::Requested,
    }
}

/// How the reason keys of returns begin.
const REASON: &str = "return_";

/// The number of the return that a refund's reason key names.
pub fn number_of(reason: &str) -> Option<i32> {
    let rest = reason.strip_prefix(REASON)?;
    let number = rest.split_once('_').map_or(rest, |(number, _)| number);
    number.parse().ok()
}

/// A return as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnView {
    /// The return.
    pub state: Return,
    /// What staff said about it.
    pub note: String,
    /// What came back; empty if it was about money alone.
    pub lines: Vec<ReturnedLine>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// A line of a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedLine {
    /// The line's place in its order.
    pub line_no: i32,
    /// What it was called.
    pub title: String,
    /// Its SKU.
    pub sku: Sku,
    /// How many came back.
    pub quantity: u32,
    /// Whether they went back on the shelf.
    pub restock: bool,
}

#[cfg(test)]
mod tests;
