//! Returns of an order: what staff ask for, and what everybody who may see the order sees of it.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::OrderId;
use graphql_kit::{ApiError, MoneyInput, MoneyObject, Result, require_staff};
use service_auth::CurrentUser;

use super::inputs::{key, order_id, text};
use crate::app::{Key, ReturnOrder};
use crate::domain::returns::{self as rules, ReturnView, ReturnedLine, Wanted, WantedLine};

/// More lines than any order has.
const MAX_LINES: usize = 500;

/// Units of an order's line that came back.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct ReturnLineInput {
    /// The order's line.
    line_id: ID,
    /// How many of it.
    quantity: i32,
    /// Whether they go back on the shelf.
    #[graphql(default = true)]
    restock: bool,
}

/// Lines that came back, to be paid back at what was paid for them.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct ReturnLinesInput {
    /// The order.
    order_id: ID,
    /// What came back, each line once.
    lines: Vec<ReturnLineInput>,
    /// Why, for the record.
    reason: String,
    /// 8 to 200 characters of your choice: the same again gives the same answer.
    idempotency_key: ID,
}

impl ReturnLinesInput {
    pub(super) fn parse(self, user: &CurrentUser) -> Result<(ReturnOrder, Key)> {
        let order = order_id(&self.order_id)?;
        let request = ReturnOrder {
            order,
            wanted: Wanted::Lines(wanted(order, &self.lines, &["input"])?),
            note: text(self.reason, "reason")?,
        };
        Ok((request, key(user, &self.idempotency_key)?))
    }
}

/// An amount to be sent back for nothing that came back.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RefundAmountInput {
    /// The order.
    order_id: ID,
    /// How much, in the order's currency.
    amount: MoneyInput,
    /// Why, for the record.
    reason: String,
    /// 8 to 200 characters of your choice: the same again gives the same answer.
    idempotency_key: ID,
}

impl RefundAmountInput {
    pub(super) fn parse(self, user: &CurrentUser) -> Result<(ReturnOrder, Key)> {
        let amount = self
            .amount
            .to_money()
            .map_err(|_| ApiError::bad_input("not an amount of this currency").at(&["input", "amount"]))?;
        let request = ReturnOrder {
            order: order_id(&self.order_id)?,
            wanted: Wanted::Amount(amount),
            note: text(self.reason, "reason")?,
        };
        Ok((request, key(user, &self.idempotency_key)?))
    }
}

/// Lines as the rules know them. A line of another order is none of this one.
pub(super) fn wanted(order: OrderId, lines: &[ReturnLineInput], at: &[&str]) -> Result<Vec<WantedLine>> {
    let path: Vec<&str> = at.iter().copied().chain(["lines"]).collect();
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(ApiError::bad_input("1 to 500 lines").at(&path));
    }
    let line = |line: &ReturnLineInput| {
        let line_no = line
            .line_id
            .strip_prefix(&order.to_string())
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|line_no| line_no.parse().ok());
        WantedLine {
            // No line has this one.
            line_no: line_no.unwrap_or(0),
            quantity: u32::try_from(line.quantity).unwrap_or(0),
            restock: line.restock,
        }
    };
    Ok(lines.iter().map(line).collect())
}

/// How a return stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::ReturnStatus")]
pub(crate) enum ReturnStatus {
    /// Asked for; the money is on its way.
    Requested,
    /// The money went back; the units are not on the shelf yet.
    Refunded,
    /// The units are on the shelf; the money is on its way.
    Restocked,
    /// Done.
    Done,
}

/// A part of an order's money that is sent back, for lines that came back or as an amount.
#[derive(Clone)]
pub(crate) struct OrderReturn(pub(super) ReturnView);

/// A part of an order's money that is sent back, for lines that came back or as an amount.
#[Object]
impl OrderReturn {
    /// The return's id.
    async fn id(&self) -> ID {
        ID(format!(
            "{}.return.{}",
            self.0.state.order_id, self.0.state.number
        ))
    }

    /// Its number, from 1 in each order.
    async fn number(&self) -> i32 {
        self.0.state.number
    }

    /// How it stands.
    async fn status(&self) -> ReturnStatus {
        self.0.state.status().into()
    }

    /// How much is sent back.
    async fn amount(&self) -> MoneyObject {
        self.0.state.amount.into()
    }

    /// Whether the money went back: by the payment provider, not yet perhaps by the buyer's bank.
    async fn is_refunded(&self) -> bool {
        matches!(
            self.0.state.money,
            rules::MoneyBack::Done | rules::MoneyBack::Nothing
        )
    }

    /// What came back; empty if it is about money alone.
    async fn lines(&self) -> Vec<OrderReturnLine> {
        let order = self.0.state.order_id;
        let line = |line: &ReturnedLine| OrderReturnLine::new(order, line.clone());
        self.0.lines.iter().map(line).collect()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When all of it was done.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.state.ended_at
    }

    /// Why, as staff noted it. For staff.
    #[graphql(tag = "internal")]
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        require_staff(ctx)?;
        Ok(Some(self.0.note.clone()))
    }

    /// Whether a person should look. For staff.
    #[graphql(tag = "internal")]
    async fn needs_attention(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        require_staff(ctx)?;
        Ok(Some(self.0.state.needs_attention))
    }

    /// What went wrong last. For staff.
    #[graphql(tag = "internal")]
    async fn last_error(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        require_staff(ctx)?;
        Ok(self.0.state.last_error.clone())
    }
}

/// Units of a line that came back.
#[derive(SimpleObject)]
pub(crate) struct OrderReturnLine {
    /// The order's line.
    line_id: ID,
    /// What it was called.
    title: String,
    /// Its SKU.
    sku: String,
    /// How many came back.
    quantity: i32,
    /// Whether they go back on the shelf.
    restock: bool,
}

impl OrderReturnLine {
    fn new(order: OrderId, line: ReturnedLine) -> Self {
        Self {
            line_id: ID(format!("{order}.{}", line.line_no)),
            title: line.title,
            sku: line.sku,
            quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
            restock: line.restock,
        }
    }
}
