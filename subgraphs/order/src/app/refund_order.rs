//! Sends the money of a paid order back.

use contracts::OrderId;
use serde::Serialize;

use super::{App, AppError, Asked, Key};
use crate::saga::Input;

/// What an operator asks for.
#[derive(Debug, Clone, Serialize)]
pub struct RefundOrder {
    /// Which order.
    pub order: OrderId,
    /// For the record.
    pub note: String,
    /// Whether the units go back on the shelf.
    pub restock: bool,
}

impl App {
    /// The whole amount, once.
    pub async fn refund_order(&self, request: RefundOrder, key: &Key) -> Result<Asked, AppError> {
        let input = Input::RefundAsked {
            restock: request.restock,
        };
        let note = Some(request.note.as_str());
        self.keyed_command(request.order, input, "refundOrder", key, &request, note)
            .await
    }
}
