//! Hands a paid order to a carrier.

use contracts::OrderId;

use super::steer::Steered;
use super::{App, AppError, Asked};
use crate::saga::Input;
use crate::store;

/// Who carries it.
#[derive(Debug, Clone)]
pub struct ShipOrder {
    /// Which order.
    pub order: OrderId,
    /// Such as DHL.
    pub carrier: Option<String>,
    /// As the carrier names it.
    pub tracking_number: Option<String>,
}

impl App {
    /// The first carrier stays; saying it again changes nothing.
    pub async fn ship_order(&self, request: ShipOrder) -> Result<Asked, AppError> {
        let mut tx = self.requests.begin().await?;
        let steered = self.steer(&mut tx, request.order, Input::Ship).await?;
        if matches!(steered, Steered::Taken(_)) {
            let (carrier, tracking) = (request.carrier.as_deref(), request.tracking_number.as_deref());
            store::checkout::note_shipment(&mut tx, request.order, carrier, tracking).await?;
        }
        tx.commit().await?;
        Ok(self.answer(steered))
    }
}
