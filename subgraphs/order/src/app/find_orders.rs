//! Reads of orders, in batches. Who may see what is decided by whoever asks.

use std::collections::HashMap;
use std::hash::Hash;

use contracts::{OrderId, UserId};

use super::{App, AppError};
use crate::domain::order::{Event, ListFilter, SagaView};
use crate::domain::returns::ReturnView;
use crate::domain::{Line, Order};
use crate::store;

impl App {
    /// Orders by id.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Order>, AppError> {
        let orders = store::orders::by_ids(&self.requests, ids).await?;
        Ok(orders.into_iter().map(|order| (order.id, order)).collect())
    }

    /// One order.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, AppError> {
        Ok(self.orders(&[id]).await?.remove(&id))
    }

    /// The newest orders of users.
    pub async fn orders_of(
        &self,
        users: &[UserId],
        after: Option<OrderId>,
        limit: i64,
    ) -> Result<HashMap<UserId, Vec<Order>>, AppError> {
        let orders = store::orders::of_users(&self.requests, users, after, limit).await?;
        Ok(grouped(orders.into_iter().map(|order| (order.user_id, order))))
    }

    /// The newest of all orders.
    pub async fn list_orders(
        &self,
        filter: &ListFilter,
        after: Option<OrderId>,
        limit: i64,
    ) -> Result<Vec<Order>, AppError> {
        Ok(store::orders::list(&self.requests, filter, after, limit).await?)
    }

    /// The lines of orders.
    pub async fn lines(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Vec<Line>>, AppError> {
        Ok(grouped(store::orders::lines_of(&self.requests, ids).await?))
    }

    /// The histories of orders.
    pub async fn timelines(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Vec<Event>>, AppError> {
        Ok(grouped(store::orders::histories_of(&self.requests, ids).await?))
    }

    /// The returns of orders, oldest first.
    pub async fn returns(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Vec<ReturnView>>, AppError> {
        Ok(grouped(store::returns::of_orders(&self.requests, ids).await?))
    }

    /// The sagas of orders.
    pub async fn sagas(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, SagaView>, AppError> {
        Ok(store::steps::sagas_of(&self.requests, ids)
            .await?
            .into_iter()
            .collect())
    }
}

fn grouped<K: Eq + Hash, V>(pairs: impl IntoIterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}
