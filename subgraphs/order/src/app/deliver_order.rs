//! Notes that an order has arrived.

use contracts::OrderId;

use super::{App, AppError, Asked};
use crate::saga::Input;

impl App {
    /// Of an order that was shipped.
    pub async fn deliver_order(&self, order: OrderId) -> Result<Asked, AppError> {
        self.command(order, Input::Deliver).await
    }
}
