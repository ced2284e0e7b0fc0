//! What inventory tells: a hold ended by itself.

use contracts::EventData;
use contracts::inventory::ReservationExpired;
use event_bus::{HandleError, Message};
use sqlx::PgConnection;

use super::Inner;
use crate::saga::Input;
use crate::store::saga::Job;

impl Inner {
    /// In the transaction of its inbox row; the job is to go on with after the commit.
    pub(crate) async fn apply_inventory_event(
        &self,
        tx: &mut PgConnection,
        message: &Message,
    ) -> Result<Option<Job>, HandleError> {
        if message.kind != ReservationExpired::TYPE {
            return Err(HandleError::Dead(format!(
                "{} is not an event order knows",
                message.kind
            )));
        }
        let event = message.event::<ReservationExpired>()?.data;
        let job = self.known(tx, event.order_id).await?;
        self.take(tx, job, Input::ReservationExpired { at: event.expired_at })
            .await
    }
}
