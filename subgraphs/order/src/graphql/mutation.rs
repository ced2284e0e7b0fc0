//! What changes orders: guard, read the input, one use case, translate.

use async_graphql::{Context, Object, SimpleObject};
use contracts::OrderId;
use contracts::order::CancelReason;
use graphql_kit::{Result, require_role, require_staff, require_user};
use service_auth::Role;

use super::coupon::{CouponPayload, CreateCouponInput, EndCouponInput};
use super::fault;
use super::inputs::{
    CancelOrderInput, CreateOrderInput, DeliverOrderInput, RefundOrderInput, RetryOrderInput, ShipOrderInput,
    order_id,
};
use super::loader::load;
use super::returns::{RefundAmountInput, ReturnLinesInput};
use super::types::OrderObject;
use super::user_error::OrderUserError;
use crate::app::{App, AppError, Asked, Created, Key, ReturnOrder};

/// An order as it is after a mutation, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct OrderPayload {
    /// The order; absent if it was not placed or may not be seen.
    order: Option<OrderObject>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<OrderUserError>,
}

impl OrderPayload {
    fn refused(error: OrderUserError) -> Self {
        Self {
            order: None,
            user_errors: vec![error],
        }
    }
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Places an order. Answers as soon as it is durable; what happens next is told by the subscription orderProgress.
    async fn create_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to order.")] input: CreateOrderInput,
    ) -> Result<OrderPayload> {
        let request = input.parse(require_user(ctx)?)?;
        let app = ctx.data_unchecked::<App>();
        match app.create_order(request).await.map_err(fault)? {
            Created::Order(order) => shown(ctx, order, None).await,
            Created::Refused(refusal) => Ok(OrderPayload::refused(refusal.into())),
            Created::KeyReused => Ok(OrderPayload::refused(OrderUserError::key_reused())),
            Created::InProgress => Ok(OrderPayload::refused(OrderUserError::in_progress())),
        }
    }

    /// Makes a coupon. What it gives can't be changed later. For administrators.
    #[graphql(tag = "internal")]
    async fn create_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The coupon.")] input: CreateCouponInput,
    ) -> Result<CouponPayload> {
        require_role(ctx, Role::Admin)?;
        let app = ctx.data_unchecked::<App>();
        let coupon = input.parse(app.now())?;
        if app.create_coupon(&coupon).await.map_err(fault)? {
            CouponPayload::of(ctx, coupon.code).await
        } else {
            Ok(CouponPayload::exists())
        }
    }

    /// Ends a coupon now; orders that use it keep their discount. For administrators.
    #[graphql(tag = "internal")]
    async fn end_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupon.")] input: EndCouponInput,
    ) -> Result<CouponPayload> {
        require_role(ctx, Role::Admin)?;
        let code = input.parse()?;
        let app = ctx.data_unchecked::<App>();
        if app.end_coupon(&code).await.map_err(fault)? {
            CouponPayload::of(ctx, code).await
        } else {
            Ok(CouponPayload::unknown())
        }
    }

    /// Gives an order up before it is paid; for its buyer and for staff.
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: CancelOrderInput,
    ) -> Result<OrderPayload> {
        let user = require_user(ctx)?;
        let (order, key) = input.parse(user)?;
        let Some(found) = load(ctx, order)
            .await?
            .and_then(|order| OrderObject::visible(ctx, order))
        else {
            return Ok(OrderPayload::refused(OrderUserError::not_found()));
        };
        let own = found.0.user_id == user.id;
        let by = if own {
            CancelReason::Customer
        } else {
            CancelReason::Operator
        };
        let asked = ctx.data_unchecked::<App>().cancel_order(order, by, &key).await;
        answered(ctx, order, asked).await
    }

    /// Takes lines of a paid order back: sends back what was paid for them, and puts them on the shelf if they are good
    /// enough. Any number of times, until nothing is left. For staff.
    #[graphql(tag = "internal")]
    async fn return_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, and what came back.")] input: ReturnLinesInput,
    ) -> Result<OrderPayload> {
        let (request, key) = input.parse(require_staff(ctx)?)?;
        returned(ctx, request, &key).await
    }

    /// Sends a part of a paid order's money back, for nothing that comes back. Any number of times, until nothing is left.
    /// For staff.
    #[graphql(tag = "internal")]
    async fn refund_amount(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, and how much.")] input: RefundAmountInput,
    ) -> Result<OrderPayload> {
        let (request, key) = input.parse(require_staff(ctx)?)?;
        returned(ctx, request, &key).await
    }

    /// Sends all that is left of a paid order's money back. For staff.
    #[graphql(tag = "internal")]
    async fn refund_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, and why.")] input: RefundOrderInput,
    ) -> Result<OrderPayload> {
        let (request, key) = input.parse(require_staff(ctx)?)?;
        let order = request.order;
        let asked = ctx.data_unchecked::<App>().refund_order(request, &key).await;
        answered(ctx, order, asked).await
    }

    /// Hands a paid order to a carrier. For staff.
    #[graphql(tag = "internal")]
    async fn ship_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, and by whom.")] input: ShipOrderInput,
    ) -> Result<OrderPayload> {
        require_staff(ctx)?;
        let request = input.parse()?;
        let order = request.order;
        let asked = ctx.data_unchecked::<App>().ship_order(request).await;
        answered(ctx, order, asked).await
    }

    /// Notes that a shipped order has arrived. For staff.
    #[graphql(tag = "internal")]
    async fn deliver_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: DeliverOrderInput,
    ) -> Result<OrderPayload> {
        require_staff(ctx)?;
        let order = order_id(&input.order_id)?;
        let asked = ctx.data_unchecked::<App>().deliver_order(order).await;
        answered(ctx, order, asked).await
    }

    /// Makes the awaited calls of an order and of its returns now, after what they wait for was repaired. For staff.
    #[graphql(tag = "internal")]
    async fn retry_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: RetryOrderInput,
    ) -> Result<OrderPayload> {
        require_staff(ctx)?;
        let order = order_id(&input.order_id)?;
        let asked = ctx.data_unchecked::<App>().retry_order(order).await;
        answered(ctx, order, asked).await
    }
}

async fn returned(ctx: &Context<'_>, request: ReturnOrder, key: &Key) -> Result<OrderPayload> {
    let order = request.order;
    let asked = ctx.data_unchecked::<App>().return_order(request, key).await;
    answered(ctx, order, asked).await
}

async fn answered(
    ctx: &Context<'_>,
    order: OrderId,
    asked: std::result::Result<Asked, AppError>,
) -> Result<OrderPayload> {
    shown(ctx, order, OrderUserError::of(&asked.map_err(fault)?)).await
}

async fn shown(ctx: &Context<'_>, order: OrderId, refused: Option<OrderUserError>) -> Result<OrderPayload> {
    let order = load(ctx, order).await?;
    Ok(OrderPayload {
        order: order.and_then(|order| OrderObject::visible(ctx, order)),
        user_errors: refused.into_iter().collect(),
    })
}
