//! Batches: one statement however many orders an operation names.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Request};
use contracts::{CouponCode, OrderId, UserId};
use graphql_kit::{ApiError, Batcher, Result};

use crate::app::{App, AppError};
use crate::domain::order::{Event, SagaView};
use crate::domain::returns::ReturnView;
use crate::domain::{Coupon, Line, Order};

/// Loads for one operation. Doesn't ask who may see what.
pub(super) struct Orders(App);

/// The lines of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LinesOf(pub(super) OrderId);

/// The history of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TimelineOf(pub(super) OrderId);

/// The returns of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ReturnsOf(pub(super) OrderId);

/// The saga of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SagaOf(pub(super) OrderId);

/// A page of a user's orders.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PageOf {
    pub(super) user: UserId,
    pub(super) after: Option<OrderId>,
    pub(super) limit: i64,
}

/// A coupon, and how many orders of a user use it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct CouponFor {
    pub(super) code: CouponCode,
    /// None for a guest, who has no orders.
    pub(super) user: Option<UserId>,
}

type Loaded<K, V> = std::result::Result<HashMap<K, V>, Arc<AppError>>;

/// Fresh loaders for one operation.
pub(super) fn attach(request: Request, app: &App) -> Request {
    request.data(Batcher::new(Orders(app.clone())))
}

/// Loads one value, with all others asked for at about the same time.
pub(super) async fn load<K>(ctx: &Context<'_>, key: K) -> Result<Option<<Orders as Loader<K>>::Value>>
where
    K: Send + Sync + Clone + Eq + std::hash::Hash + 'static,
    Orders: Loader<K, Error = Arc<AppError>>,
{
    let batcher = ctx.data_unchecked::<Batcher<Orders>>();
    batcher.load_one(key).await.map_err(|error| match &*error {
        AppError::Store(source) if pg_kit::is_retryable(source) => ApiError::unavailable("The order service"),
        _ => ApiError::internal(error),
    })
}

impl Loader<OrderId> for Orders {
    type Value = Order;
    type Error = Arc<AppError>;

    async fn load(&self, ids: &[OrderId]) -> Loaded<OrderId, Order> {
        Ok(self.0.orders(ids).await?)
    }
}

impl Loader<LinesOf> for Orders {
    type Value = Vec<Line>;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[LinesOf]) -> Loaded<LinesOf, Vec<Line>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(keyed(self.0.lines(&ids).await?, LinesOf))
    }
}

impl Loader<TimelineOf> for Orders {
    type Value = Vec<Event>;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[TimelineOf]) -> Loaded<TimelineOf, Vec<Event>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(keyed(self.0.timelines(&ids).await?, TimelineOf))
    }
}

impl Loader<ReturnsOf> for Orders {
    type Value = Vec<ReturnView>;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[ReturnsOf]) -> Loaded<ReturnsOf, Vec<ReturnView>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(keyed(self.0.returns(&ids).await?, ReturnsOf))
    }
}

impl Loader<SagaOf> for Orders {
    type Value = SagaView;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[SagaOf]) -> Loaded<SagaOf, SagaView> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(keyed(self.0.sagas(&ids).await?, SagaOf))
    }
}

impl Loader<CouponFor> for Orders {
    type Value = (Coupon, u32);
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[CouponFor]) -> Loaded<CouponFor, (Coupon, u32)> {
        let codes: Vec<_> = keys.iter().map(|key| key.code.clone()).collect();
        let pair = |key: &CouponFor| Some((key.code.clone(), key.user?));
        let pairs: Vec<_> = keys.iter().filter_map(pair).collect();
        let coupons = self.0.coupons(&codes).await?;
        let used = if pairs.is_empty() {
            HashMap::new()
        } else {
            self.0.coupons_used(&pairs).await?
        };
        let found = |key: &CouponFor| {
            let coupon = coupons.get(&key.code)?.clone();
            let used = pair(key)
                .and_then(|pair| used.get(&pair))
                .copied()
                .unwrap_or_default();
            Some((key.clone(), (coupon, used)))
        };
        Ok(keys.iter().filter_map(found).collect())
    }
}

impl Loader<PageOf> for Orders {
    type Value = Vec<Order>;
    type Error = Arc<AppError>;

    /// One statement for each pair of cursor and size; an operation has one of them for each time it writes `orders`.
    async fn load(&self, keys: &[PageOf]) -> Loaded<PageOf, Vec<Order>> {
        let mut users: HashMap<_, Vec<UserId>> = HashMap::new();
        for key in keys {
            users.entry((key.after, key.limit)).or_default().push(key.user);
        }
        let mut pages = HashMap::new();
        for ((after, limit), users) in users {
            let orders = self.0.orders_of(&users, after, limit).await?;
            pages.extend(keyed(orders, |user| PageOf { user, after, limit }));
        }
        Ok(pages)
    }
}

fn keyed<A, B: Eq + std::hash::Hash, V>(values: HashMap<A, V>, key: impl Fn(A) -> B) -> HashMap<B, V> {
    values.into_iter().map(|(id, value)| (key(id), value)).collect()
}
