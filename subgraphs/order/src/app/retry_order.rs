//! Makes the awaited calls of an order and of its returns now, for an operator who has repaired what they wait for.

use contracts::OrderId;

use super::steer::Steered;
use super::{App, AppError, Asked};
use crate::saga::{Input, InvalidInput};

impl App {
    /// Also takes the call for a person back.
    pub async fn retry_order(&self, order: OrderId) -> Result<Asked, AppError> {
        let mut tx = self.requests.begin().await?;
        let steered = self.steer(&mut tx, order, Input::Retry).await?;
        let returns = self.retry_returns(&mut tx, order).await?;
        tx.commit().await?;
        self.returns.notify_one();
        match steered {
            // Nothing is awaited of the order itself.
            Steered::Refused(InvalidInput::WrongState) if returns => Ok(Asked::Done),
            steered => Ok(self.answer(steered)),
        }
    }
}
