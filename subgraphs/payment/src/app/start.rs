//! Starts the payment of an order.

use contracts::payment::{PaymentView, StartPayment};
use contracts::{OrderId, PaymentId};
use service_kit::crash_point;

use super::{App, AppError, LEASE};
use crate::domain::{Payment, Stage, Terms};
use crate::store;

impl App {
    /// Starts a payment, or answers where the order's payment stands. A payment that the provider has not decided in
    /// time is INITIATED; an event tells how it ends.
    pub async fn start_payment(
        &self,
        order: OrderId,
        request: StartPayment,
    ) -> Result<PaymentView, AppError> {
        let terms = Terms::try_new(request)?;
        let payment = self.record_start(order, &terms).await?;
        let view = payment.answer_start(&terms)?;
        if payment.stage != Stage::Initiated {
            return Ok(view);
        }
        crash_point!("initiated", order);
        let app = self.clone();
        match self.finish_in_time(async move { app.drive(payment).await }).await {
            Some(Ok(decided)) => Ok(decided.answer_start(&terms)?),
            Some(Err(error)) => {
                tracing::warn!(%error, %order, "payment started, but the provider's word is missing");
                Ok(view)
            }
            None => Ok(view),
        }
    }

    /// The order's payment, durable before the provider hears of it.
    async fn record_start(&self, order: OrderId, terms: &Terms) -> Result<Payment, AppError> {
        let fresh = Payment {
            id: PaymentId::generate(),
            order_id: order,
            terms: Some(terms.clone()),
            stage: Stage::Initiated,
            psp_ref: None,
            decline_code: None,
            captured_at: None,
            refunded_minor: 0,
            version: 1,
            correlation_id: service_kit::correlation::current(),
            traceparent: service_kit::trace::current_traceparent(),
            created_at: self.clock.now(),
            checks: 0,
        };
        let mut conn = self.pools.requests.acquire().await?;
        if store::payment::insert(&mut conn, &fresh, Some(LEASE)).await? {
            return Ok(fresh);
        }
        drop(conn);
        Ok(store::payment::find_by_order(&self.pools.requests, order)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?)
    }
}
