//! Gives an order up, for its buyer or for an operator.

use contracts::OrderId;
use contracts::order::CancelReason;

use super::{App, AppError, Asked, Key};
use crate::saga::Input;

impl App {
    /// Before the money is in; afterwards it can only be refunded. `by` is `Customer` or `Operator`.
    pub async fn cancel_order(&self, order: OrderId, by: CancelReason, key: &Key) -> Result<Asked, AppError> {
        self.keyed_command(order, Input::Cancel { by }, "cancelOrder", key, &order, None)
            .await
    }
}
