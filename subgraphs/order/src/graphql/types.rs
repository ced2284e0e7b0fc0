//! An order and its parts.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::{Money, order as wire};
use graphql_kit::{MoneyObject, Result, hidden, require_staff, viewer};

use super::coupon::OrderDiscount;
use super::entity::{ProductVariant, User};
use super::fault;
use super::loader::{LinesOf, ReturnsOf, SagaOf, TimelineOf, load};
use super::returns::{OrderReturn, ReturnLineInput, wanted};
use super::saga_types::SagaObject;
use crate::app::App;
use crate::domain::order::Event;
use crate::domain::returns::MoneyBack;
use crate::domain::{Line, Order, State};

/// Where an order is, as a shopper sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "wire::OrderStatus")]
pub(crate) enum OrderStatus {
    /// Accepted; stock and payment are being arranged.
    Pending,
    /// Waiting for the payment to be decided.
    AwaitingPayment,
    /// Paid, and the stock is the buyer's.
    Paid,
    /// On its way.
    Shipped,
    /// With the buyer.
    Delivered,
    /// Given up, or being given up; no money is kept.
    Cancelled,
    /// The money went back.
    Refunded,
}

/// Why an order was cancelled.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "wire::CancelReason")]
pub(crate) enum CancelReason {
    /// Not enough stock.
    OutOfStock,
    /// The payment was declined.
    PaymentDeclined,
    /// No payment in time.
    PaymentTimeout,
    /// The buyer asked.
    Customer,
    /// An operator asked.
    Operator,
}

/// What happened to an order.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "wire::OrderStep")]
pub(crate) enum OrderStep {
    /// Accepted and durable.
    Created,
    /// Stock is being set aside.
    ReservingStock,
    /// Stock is set aside.
    StockReserved,
    /// There is not enough stock.
    StockRefused,
    /// The payment is being started.
    StartingPayment,
    /// The provider has the payment.
    PaymentStarted,
    /// The money was captured.
    PaymentCaptured,
    /// The payment was declined.
    PaymentFailed,
    /// The units are sold.
    StockConfirmed,
    /// Done: paid, and the units are the buyer's.
    Paid,
    /// Being given up.
    Cancelling,
    /// The payment is void.
    PaymentVoided,
    /// The stock went back.
    StockReleased,
    /// Given up.
    Cancelled,
    /// The money is going back.
    Refunding,
    /// The money went back.
    Refunded,
    /// On its way.
    Shipped,
    /// With the buyer.
    Delivered,
}

/// An order that its viewer may see.
#[derive(Clone)]
pub(crate) struct OrderObject(pub(super) Order);

impl OrderObject {
    /// The order, if the viewer is its buyer or staff.
    pub(super) fn visible(ctx: &Context<'_>, order: Order) -> Option<Self> {
        let may = viewer(ctx).is_some_and(|viewer| viewer.is_staff() || viewer.id == order.user_id);
        if !may {
            hidden(ctx, order.id);
        }
        may.then_some(Self(order))
    }
}

/// An order.
#[Object(name = "Order")]
impl OrderObject {
    /// The order's id.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// A short number for people, such as M-100001.
    async fn number(&self) -> String {
        self.0.number.to_string()
    }

    /// Where it is.
    async fn status(&self) -> OrderStatus {
        self.0.status().into()
    }

    /// Rises by one with every step; the sequence of its last event.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime<Utc> {
        self.0.placed_at
    }

    /// Who bought it.
    async fn customer(&self) -> Option<User> {
        Some(User { user: self.0.user_id })
    }

    /// What was bought, at the prices of that moment.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<OrderLineObject>> {
        let lines = load(ctx, LinesOf(self.0.id)).await?.unwrap_or_default();
        Ok(lines
            .into_iter()
            .map(|line| OrderLineObject::new(&self.0, line))
            .collect())
    }

    /// The sum of its lines.
    async fn subtotal(&self) -> MoneyObject {
        self.0.subtotal().into()
    }

    /// What a coupon took off the subtotal, if one did.
    async fn discount(&self) -> Option<OrderDiscount> {
        self.0.discount.as_ref().map(OrderDiscount::from)
    }

    /// What it costs in all: the subtotal less the discount.
    async fn total(&self) -> MoneyObject {
        self.0.total.into()
    }

    /// What staff sent back of it, with or without units that came back; oldest first. A refund of the whole is told by
    /// the status, not here.
    async fn returns(&self, ctx: &Context<'_>) -> Result<Vec<OrderReturn>> {
        let returns = load(ctx, ReturnsOf(self.0.id)).await?.unwrap_or_default();
        Ok(returns.into_iter().map(OrderReturn).collect())
    }

    /// How much of the total went back so far.
    async fn refunded_amount(&self, ctx: &Context<'_>) -> Result<MoneyObject> {
        let nothing_before = self.0.returned.amount_minor == 0;
        if self.0.state == State::Refunded {
            return Ok(self.0.total.into());
        }
        let returns = if nothing_before {
            Vec::new()
        } else {
            load(ctx, ReturnsOf(self.0.id)).await?.unwrap_or_default()
        };
        let back = returns
            .iter()
            .filter(|back| back.state.money == MoneyBack::Done)
            .map(|back| back.state.amount.amount_minor)
            .sum();
        Ok(Money::new(back, self.0.total.currency).into())
    }

    /// How much can still be sent back. For staff.
    #[graphql(tag = "internal")]
    async fn returnable_amount(&self, ctx: &Context<'_>) -> Result<Option<MoneyObject>> {
        require_staff(ctx)?;
        Ok(Some(self.0.returnable().into()))
    }

    /// What would be sent back for these lines now; null if they can't come back. For staff.
    #[graphql(tag = "internal")]
    async fn return_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What would come back, each line once.")] lines: Vec<ReturnLineInput>,
    ) -> Result<Option<MoneyObject>> {
        require_staff(ctx)?;
        let wanted = wanted(self.0.id, &lines, &[])?;
        let app = ctx.data_unchecked::<App>();
        let preview = app.preview_return(&self.0, wanted).await.map_err(fault)?;
        Ok(preview.ok().map(MoneyObject::from))
    }

    /// Why it was cancelled, if it was.
    async fn cancel_reason(&self) -> Option<CancelReason> {
        self.0.cancel_reason.map(CancelReason::from)
    }

    /// What happened to it so far, oldest first.
    async fn timeline(&self, ctx: &Context<'_>) -> Result<Vec<OrderEventObject>> {
        let events = load(ctx, TimelineOf(self.0.id)).await?.unwrap_or_default();
        Ok(events.into_iter().map(OrderEventObject::from).collect())
    }

    /// Whether nothing more happens to it by itself.
    async fn is_final(&self) -> bool {
        self.0.state.is_final()
    }

    /// How it is being carried out. For staff.
    #[graphql(tag = "internal")]
    async fn saga(&self, ctx: &Context<'_>) -> Result<Option<SagaObject>> {
        require_staff(ctx)?;
        Ok(load(ctx, SagaOf(self.0.id)).await?.map(SagaObject::from))
    }
}

/// One line of an order: a snapshot of what was bought.
#[derive(SimpleObject, Clone)]
#[graphql(name = "OrderLine")]
pub(crate) struct OrderLineObject {
    /// The line's id.
    id: ID,
    /// What it was called.
    title: String,
    /// Its SKU.
    sku: String,
    /// How many.
    quantity: i32,
    /// How many of them came back.
    returned_quantity: i32,
    /// The price of one.
    unit_price: MoneyObject,
    /// Price times quantity.
    line_total: MoneyObject,
    /// What was bought, as it is in the catalogue now.
    #[graphql(provides = "sku")]
    variant: Option<ProductVariant>,
}

impl OrderLineObject {
    fn new(order: &Order, line: Line) -> Self {
        Self {
            id: ID(format!("{}.{}", order.id, line.line_no)),
            quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
            returned_quantity: i32::try_from(line.returned).unwrap_or(i32::MAX),
            unit_price: line.unit_price.into(),
            line_total: line.total().into(),
            variant: Some(ProductVariant::new(line.variant_id, &line.sku)),
            title: line.title,
            sku: line.sku,
        }
    }
}

/// One step of an order's history.
#[derive(SimpleObject, Clone)]
#[graphql(name = "OrderEvent")]
pub(crate) struct OrderEventObject {
    /// Rises by one with every step, without gaps.
    sequence: i32,
    /// What happened.
    step: OrderStep,
    /// Where the order was then.
    status: OrderStatus,
    /// What happened, for people.
    message: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<Event> for OrderEventObject {
    fn from(event: Event) -> Self {
        Self {
            sequence: i32::try_from(event.sequence).unwrap_or(i32::MAX),
            step: event.step.into(),
            status: event.status.into(),
            message: message(event.step).to_owned(),
            at: event.at,
        }
    }
}

const fn message(step: wire::OrderStep) -> &'static str {
    use wire::OrderStep as Step;
    match step {
        Step::Created => "Order placed",
        Step::ReservingStock => "Setting your items aside",
        Step::StockReserved => "Your items are set aside",
        Step::StockRefused => "Not enough in stock",
        Step::StartingPayment => "Starting the payment",
        Step::PaymentStarted => "Waiting for the payment",
        Step::PaymentCaptured => "Payment received",
        Step::PaymentFailed => "The payment was declined",
        Step::StockConfirmed => "Your items are yours",
        Step::Paid => "Order complete",
        Step::Cancelling => "Cancelling the order",
        Step::PaymentVoided => "The payment was called off",
        Step::StockReleased => "The items went back",
        Step::Cancelled => "Order cancelled",
        Step::Refunding => "Sending your money back",
        Step::Refunded => "Your money went back",
        Step::Shipped => "On its way",
        Step::Delivered => "Delivered",
    }
}
