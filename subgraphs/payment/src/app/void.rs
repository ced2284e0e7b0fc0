//! Gives up the payment of an order, or finds that it was captured first.

use contracts::payment::{VoidOutcome, VoidView};
use contracts::{OrderId, PaymentId};
use service_kit::crash_point;

use super::{App, AppError, LEASE};
use crate::domain::{Payment, Stage};
use crate::store;

/// What is known once the wish to void is durable.
enum Asked {
    Settled(VoidOutcome),
    Open(Box<Payment>),
}

impl App {
    /// Voids. The provider decides the race with the capture, and the row's lock makes its word one.
    pub async fn void_payment(&self, order: OrderId) -> Result<VoidView, AppError> {
        let payment = match self.record_void_wish(order).await? {
            Asked::Settled(outcome) => return Ok(VoidView { outcome }),
            Asked::Open(payment) => *payment,
        };
        crash_point!("voiding", order);
        let app = self.clone();
        let driven = self.finish_in_time(async move { app.drive(payment).await }).await;
        let undecided = || AppError::Undecided("the provider has not cancelled the payment yet".to_owned());
        let payment = driven.ok_or_else(undecided)??;
        let outcome = outcome(payment.stage).ok_or_else(undecided)?;
        Ok(VoidView { outcome })
    }

    async fn record_void_wish(&self, order: OrderId) -> Result<Asked, AppError> {
        let mut tx = self.pools.requests.begin().await?;
        // A start that commits just now makes the tombstone lose; the lock then finds it.
        let tombstone = self.tombstone(order);
        if store::payment::insert(&mut tx, &tombstone, None).await? {
            tx.commit().await?;
            return Ok(Asked::Settled(VoidOutcome::Voided));
        }
        let found = store::payment::lock_by_order(&mut tx, order).await?;
        let mut payment = found.ok_or(sqlx::Error::RowNotFound)?;
        if let Some(outcome) = outcome(payment.stage) {
            return Ok(Asked::Settled(outcome));
        }
        payment.stage = Stage::Voiding;
        payment.checks = 0;
        store::payment::save(&mut tx, &payment, Some(LEASE)).await?;
        tx.commit().await?;
        Ok(Asked::Open(Box::new(payment)))
    }

    /// Remembers a void that came before its payment, so that a late start is refused.
    fn tombstone(&self, order: OrderId) -> Payment {
        Payment {
            id: PaymentId::generate(),
            order_id: order,
            terms: None,
            stage: Stage::Voided,
            psp_ref: None,
            decline_code: None,
            captured_at: None,
            refunded_minor: 0,
            version: 1,
            correlation_id: service_kit::correlation::current(),
            traceparent: service_kit::trace::current_traceparent(),
            created_at: self.clock.now(),
            checks: 0,
        }
    }
}

const fn outcome(stage: Stage) -> Option<VoidOutcome> {
    match stage {
        Stage::Initiated | Stage::Voiding => None,
        Stage::Voided | Stage::Failed => Some(VoidOutcome::Voided),
        Stage::Captured | Stage::RefundPending | Stage::Refunded | Stage::PartiallyRefunded => {
            Some(VoidOutcome::AlreadyCaptured)
        }
    }
}
