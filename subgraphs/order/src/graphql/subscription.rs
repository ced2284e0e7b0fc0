//! Steps of orders as they happen.

use std::collections::BTreeSet;

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use contracts::OrderId;
use futures::stream::{self, Stream, StreamExt};
use graphql_kit::{ApiError, Result, parse_id, require_staff, require_user};

use super::fault;
use super::inputs::OrderFilter;
use super::loader::load;
use super::types::{OrderEventObject, OrderObject};
use crate::app::{App, AppError};
use crate::domain::order::{Event, ListFilter};

/// A step of an order.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct OrderProgress {
    /// What happened.
    event: OrderEventObject,
    #[graphql(skip)]
    order: OrderId,
}

#[ComplexObject]
impl OrderProgress {
    /// The order as it is now, which may be ahead of the event.
    async fn order(&self, ctx: &Context<'_>) -> Result<OrderObject> {
        let order = load(ctx, self.order)
            .await?
            .and_then(|order| OrderObject::visible(ctx, order));
        order.ok_or_else(|| ApiError::not_found("There is no such order"))
    }
}

/// The root of subscriptions.
pub struct Subscription;

#[async_graphql::Subscription]
impl Subscription {
    /// The steps of an order, those so far first, each once and in order, until it is final. After a reconnect, pass the
    /// last sequence you have seen. For its buyer and for staff.
    async fn order_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id.")] order_id: ID,
        #[graphql(desc = "Steps after this sequence; 0 for all.", default = 0)] after_sequence: i32,
    ) -> Result<impl Stream<Item = Result<OrderProgress>> + use<>> {
        require_user(ctx)?;
        let id: OrderId = parse_id(&order_id, "orderId")?;
        if after_sequence < 0 {
            return Err(ApiError::bad_input("a sequence is never negative").at(&["afterSequence"]));
        }
        let seen = load(ctx, id)
            .await?
            .and_then(|order| OrderObject::visible(ctx, order));
        seen.ok_or_else(|| ApiError::not_found("There is no such order"))?;
        let batches = ctx
            .data_unchecked::<App>()
            .watch_order(id, i64::from(after_sequence));
        Ok(batches.flat_map(|batch| stream::iter(progress(batch))))
    }

    /// New steps of all orders. For staff.
    async fn order_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders; all if absent.")] filter: Option<OrderFilter>,
    ) -> Result<impl Stream<Item = Result<OrderProgress>> + use<>> {
        require_staff(ctx)?;
        let filter = filter.unwrap_or_default().parse()?;
        if filter.is_search() {
            let why = "the feed is not searched: filter it by status, attention or buyer";
            return Err(ApiError::bad_input(why).at(&["filter"]));
        }
        let app = ctx.data_unchecked::<App>().clone();
        let batches = app
            .watch_all()
            .then(move |batch| let_through(app.clone(), filter.clone(), batch));
        Ok(batches.flat_map(|batch| stream::iter(progress(batch))))
    }
}

type Batch = std::result::Result<Vec<(OrderId, Event)>, AppError>;

fn progress(batch: Batch) -> Vec<Result<OrderProgress>> {
    let shown = |(order, event): (OrderId, Event)| {
        Ok(OrderProgress {
            event: event.into(),
            order,
        })
    };
    match batch {
        Ok(events) => events.into_iter().map(shown).collect(),
        Err(error) => vec![Err(fault(error))],
    }
}

/// Whose steps they are, each once.
fn orders_of(events: &[(OrderId, Event)]) -> Vec<OrderId> {
    let orders: BTreeSet<OrderId> = events.iter().map(|(order, _)| *order).collect();
    orders.into_iter().collect()
}

/// The steps that a filter lets through; asks for the orders only if the filter does.
async fn let_through(app: App, filter: ListFilter, batch: Batch) -> Batch {
    let mut events = batch?;
    if let Some(statuses) = &filter.statuses {
        events.retain(|(_, event)| statuses.contains(&event.status));
    }
    if let Some(user) = filter.user {
        let orders = app.orders(&orders_of(&events)).await?;
        events.retain(|(order, _)| orders.get(order).is_some_and(|order| order.user_id == user));
    }
    if let Some(wanted) = filter.needs_attention {
        let sagas = app.sagas(&orders_of(&events)).await?;
        events.retain(|(order, _)| {
            sagas
                .get(order)
                .is_some_and(|saga| saga.needs_attention == wanted)
        });
    }
    Ok(events)
}
