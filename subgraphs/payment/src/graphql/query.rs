//! The roots: what staff list, and the entities that the router asks for.

use async_graphql::{Context, ID, Object};
use contracts::PaymentId;
use contracts::payment::PaymentState;
use graphql_kit::page::{self, Page};
use graphql_kit::{ApiError, Batcher, Result, require_staff};

use super::entity::{OrderObject, TotalRepresentation};
use super::loader::ById;
use super::types::{PaymentConnection, PaymentObject, PaymentStatus};
use crate::app::App;

const LIST: &str = "payments";

/// The root of queries.
pub struct Query;

#[Object]
impl Query {
    /// All payments, newest first. For staff.
    #[graphql(tag = "internal")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Only payments that stand here.")] status: Option<PaymentStatus>,
    ) -> Result<PaymentConnection> {
        require_staff(ctx)?;
        let args = page::parse::<PaymentId>(LIST, first, after)?;
        let app = ctx.data_unchecked::<App>();
        let state = status.map(PaymentState::from);
        let rows = app
            .list_payments(args.limit(), args.after, state)
            .await
            .map_err(ApiError::internal)?;
        let rows = rows
            .into_iter()
            .filter_map(|payment| PaymentObject::visible(ctx, payment))
            .collect();
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), PaymentObject::key);
        Ok(PaymentConnection(page))
    }

    #[graphql(entity)]
    async fn find_payment(&self, ctx: &Context<'_>, id: ID) -> Result<Option<PaymentObject>> {
        let Ok(id) = id.parse::<PaymentId>() else {
            return Ok(None);
        };
        let loader = ctx.data_unchecked::<Batcher<ById>>();
        let payment = loader.load_one(id).await.map_err(ApiError::internal)?;
        Ok(payment.and_then(|payment| PaymentObject::visible(ctx, payment)))
    }

    #[graphql(entity)]
    async fn find_order(
        &self,
        #[graphql(key)] id: ID,
        total: Option<TotalRepresentation>,
    ) -> Option<OrderObject> {
        let order = id.parse().ok()?;
        Some(OrderObject::new(order, total))
    }
}
