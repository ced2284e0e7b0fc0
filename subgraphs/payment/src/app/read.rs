//! What is read without changing anything.

use contracts::payment::{PaymentState, PaymentView};
use contracts::{OrderId, PaymentId, Problem, ProblemCode};

use super::{App, AppError};
use crate::domain::{Payment, Refund};
use crate::store;

impl App {
    /// The payment of an order, as order sees it.
    pub async fn show_payment(&self, order: OrderId) -> Result<PaymentView, AppError> {
        let known = store::payment::find_by_order(&self.pools.requests, order).await?;
        let payment = known.ok_or_else(|| Problem::new(ProblemCode::NotFound, "the order has no payment"))?;
        Ok(payment.view()?)
    }

    /// Payments of some orders, in one statement.
    pub async fn payments_of_orders(&self, orders: &[OrderId]) -> Result<Vec<Payment>, AppError> {
        let ids: Vec<_> = orders.iter().map(|order| order.uuid()).collect();
        Ok(store::payment::find_by_orders(&self.pools.requests, &ids).await?)
    }

    /// Some payments, in one statement.
    pub async fn payments(&self, ids: &[PaymentId]) -> Result<Vec<Payment>, AppError> {
        let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
        Ok(store::payment::find_by_ids(&self.pools.requests, &ids).await?)
    }

    /// All refunds of some payments, in one statement, oldest first.
    pub async fn refunds_of_payments(&self, payments: &[PaymentId]) -> Result<Vec<Refund>, AppError> {
        let ids: Vec<_> = payments.iter().map(|id| id.uuid()).collect();
        Ok(store::refund::find_by_payments(&self.pools.requests, &ids).await?)
    }

    /// Payments newest first.
    pub async fn list_payments(
        &self,
        limit: i64,
        after: Option<PaymentId>,
        state: Option<PaymentState>,
    ) -> Result<Vec<Payment>, AppError> {
        Ok(store::payment::page(&self.pools.requests, limit, after.map(PaymentId::uuid), state).await?)
    }
}
