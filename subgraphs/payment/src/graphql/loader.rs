//! Batches: one statement however many orders or payments an operation names.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Request;
use async_graphql::dataloader::{DataLoader, Loader};
use contracts::{OrderId, PaymentId};

use crate::app::App;
use crate::domain::{Payment, Refund};

type Loaded<K, V> = Result<HashMap<K, V>, Arc<sqlx::Error>>;

pub(super) struct ByOrder(App);
pub(super) struct ById(App);
pub(super) struct RefundsOf(App);

/// Fresh loaders for one operation.
pub(super) fn attach(request: Request, app: &App) -> Request {
    request
        .data(DataLoader::new(ByOrder(app.clone()), tokio::spawn))
        .data(DataLoader::new(ById(app.clone()), tokio::spawn))
        .data(DataLoader::new(RefundsOf(app.clone()), tokio::spawn))
}

impl Loader<OrderId> for ByOrder {
    type Value = Payment;
    type Error = Arc<sqlx::Error>;

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
    type Error = Arc<sqlx::Error>;

    async fn load(&self, keys: &[PaymentId]) -> Loaded<PaymentId, Payment> {
        let found = self.0.payments(keys).await?;
        Ok(found.into_iter().map(|payment| (payment.id, payment)).collect())
    }
}

impl Loader<PaymentId> for RefundsOf {
    type Value = Vec<Refund>;
    type Error = Arc<sqlx::Error>;

    async fn load(&self, keys: &[PaymentId]) -> Loaded<PaymentId, Vec<Refund>> {
        let mut grouped: HashMap<PaymentId, Vec<Refund>> = HashMap::new();
        for refund in self.0.refunds_of_payments(keys).await? {
            grouped.entry(refund.payment_id).or_default().push(refund);
        }
        Ok(grouped)
    }
}
