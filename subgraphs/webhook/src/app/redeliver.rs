//! Sends again what was delivered or given up.

use contracts::{UserId, WebhookDeliveryId};

use super::{App, AppError};
use crate::domain::Delivery;
use crate::store;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Redelivered {
    /// It is due now.
    Done(Delivery),
    /// It has not ended yet.
    Pending,
    /// There is no such delivery.
    Unknown,
}

impl App {
    /// Makes a delivery due again that has ended, with all its tries before it, the same body and the same webhook-id.
    pub(crate) async fn redeliver(&self, id: WebhookDeliveryId, by: UserId) -> Result<Redelivered, AppError> {
        let pool = self.requests.clone();
        let (revived, found) = self
            .finish(async move {
                let mut tx = pool.begin().await?;
                let revived = store::deliveries::revive(&mut tx, id).await?;
                let found = store::deliveries::find(&mut *tx, id).await?;
                tx.commit().await?;
                Ok((revived, found))
            })
            .await?;
        Ok(match found {
            Some(delivery) if revived => {
                tracing::info!(delivery = %id, %by, "an event is sent again");
                self.wake();
                Redelivered::Done(delivery)
            }
            Some(_) => Redelivered::Pending,
            None => Redelivered::Unknown,
        })
    }
}
