//! Batches: one statement however many orders or payments an operation names.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Request;
use async_graphql::dataloader::Loader;
use contracts::{OrderId, PaymentId};
use graphql_kit::Batcher;

use crate::app::{App, AppError};
use crate::domain::{Payment, Refund};

type Loaded<K, V> = Result<HashMap<K, V>, Arc<AppError>>;

pub(super) struct ByOrder(App);
pub(super) struct ById(App);
pub(super) struct RefundsOf(App);

/// Fresh loaders for one operation.
pub(super) fn attach(request: Request, app: &App) -> Request {
    request
        .data(Batcher::new(ByOrder(app.clone())))
        .data(Batcher::new(ById(app.clone())))
        .data(Batcher::new(RefundsOf(app.clone())))
}

impl Loader<OrderId> for ByOrder {
    type Value = Payment;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[OrderId]) -> Loaded<OrderId, Payment> {
        let found = self.0.payments_of_orders(keys).await?;
        Ok(found
            .into_iter()
            .map(|payment| (payment.order_id, payment))
            .collect())
    }
}

impl Loader<PaymentId> for ById {
    type Value = Payment;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[PaymentId]) -> Loaded<PaymentId, Payment> {
        let found = self.0.payments(keys).await?;
        Ok(found.into_iter().map(|payment| (payment.id, payment)).collect())
    }
}

impl Loader<PaymentId> for RefundsOf {
    type Value = Vec<Refund>;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[PaymentId]) -> Loaded<PaymentId, Vec<Refund>> {
        let mut grouped: HashMap<PaymentId, Vec<Refund>> = HashMap::new();
        for refund in self.0.refunds_of_payments(keys).await? {
            grouped.entry(refund.payment_id).or_default().push(refund);
        }
        Ok(grouped)
    }
}
