//! Makes an order's awaited call now, for an operator who has repaired what it waits for.

use contracts::OrderId;

use super::{App, AppError, Asked};
use crate::saga::Input;

impl App {
    /// Also takes the call for a person back.
    pub async fn retry_order(&self, order: OrderId) -> Result<Asked, AppError> {
        self.command(order, Input::Retry).await
    }
}
