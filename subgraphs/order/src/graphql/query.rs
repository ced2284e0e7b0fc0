//! The roots: orders by id, the staff's list, and the entities that the router asks for.

use async_graphql::{Context, ID, Object};
use contracts::{CouponCode, OrderId, UserId};
use graphql_kit::page::{self, Page};
use graphql_kit::{MoneyInput, Result, parse_id, require_staff, require_user};

use super::connection::OrderConnection;
use super::coupon::{Cart, CouponConnection, CouponObject};
use super::entity::User;
use super::fault;
use super::inputs::OrderFilter;
use super::loader::load;
use super::types::OrderObject;
use crate::app::App;

const LIST: &str = "orders";
const COUPONS: &str = "coupons";

/// The root of queries.
pub struct Query;

#[Object]
impl Query {
    /// An order, for its buyer and for staff; null for anybody else, as if there were none.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id.")] id: ID,
    ) -> Result<Option<OrderObject>> {
        require_user(ctx)?;
        let id: OrderId = parse_id(&id, "id")?;
        Ok(load(ctx, id)
            .await?
            .and_then(|order| OrderObject::visible(ctx, order)))
    }

    /// All orders, newest first. For staff.
    #[graphql(tag = "internal")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Which orders; all if absent.")] filter: Option<OrderFilter>,
    ) -> Result<OrderConnection> {
        require_staff(ctx)?;
        let args = page::parse::<OrderId>(LIST, first, after)?;
        let filter = filter.unwrap_or_default().parse()?;
        let app = ctx.data_unchecked::<App>();
        let rows = app
            .list_orders(&filter, args.after, args.limit())
            .await
            .map_err(fault)?;
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), |order| order.id);
        Ok(OrderConnection(page.map(OrderObject)))
    }

    /// All coupons, in the order of their codes. For staff.
    #[graphql(tag = "internal")]
    async fn coupons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<CouponConnection> {
        require_staff(ctx)?;
        let args = page::parse::<CouponCode>(COUPONS, first, after)?;
        let app = ctx.data_unchecked::<App>();
        let limit = args.limit();
        let rows = app
            .list_coupons(args.after.as_ref(), limit)
            .await
            .map_err(fault)?;
        let page = Page::from_rows(COUPONS, rows, args.first, args.after.is_some(), |coupon| {
            coupon.code.clone()
        });
        Ok(CouponConnection(page.map(CouponObject)))
    }

    #[graphql(entity)]
    async fn find_cart(
        &self,
        #[graphql(key)] id: ID,
        coupon_code: Option<String>,
        subtotal: Option<MoneyInput>,
    ) -> Option<Cart> {
        Some(Cart {
            id: id.parse().ok()?,
            code: coupon_code,
            subtotal,
        })
    }

    #[graphql(entity)]
    async fn find_order(&self, ctx: &Context<'_>, id: ID) -> Result<Option<OrderObject>> {
        let Ok(id) = id.parse::<OrderId>() else {
            return Ok(None);
        };
        Ok(load(ctx, id)
            .await?
            .and_then(|order| OrderObject::visible(ctx, order)))
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        let user: UserId = id.parse().ok()?;
        Some(User { user })
    }
}
