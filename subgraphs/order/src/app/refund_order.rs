//! Sends the money of a paid order back.

use contracts::OrderId;
use serde::Serialize;
use sqlx::PgConnection;

use super::{App, AppError, Asked, Inner, Key};
use crate::domain::returns::{ReturnProblem, is_returnable};
use crate::saga::Input;
use crate::store;

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
    /// All that is left, once.
    pub async fn refund_order(&self, request: RefundOrder, key: &Key) -> Result<Asked, AppError> {
        let input = Input::RefundAsked {
            restock: request.restock,
        };
        let note = Some(request.note.as_str());
        self.keyed_command(request.order, input, "refundOrder", key, &request, note)
            .await
    }
}

impl Inner {
    /// Why an order that had returns can't be refunded whole now, if that is what is asked for. What is left is known only
    /// when nothing is under way, and a restock of the whole takes back all that is sold.
    pub(super) async fn keeps_from_refund(
        &self,
        tx: &mut PgConnection,
        order: OrderId,
        input: &Input,
    ) -> Result<Option<ReturnProblem>, sqlx::Error> {
        let Input::RefundAsked { restock } = input else {
            return Ok(None);
        };
        // The lock keeps returns away until the refund is decided.
        let state = store::saga::lock(tx, order).await?.map(|job| job.saga.state);
        if !state.is_some_and(is_returnable) {
            return Ok(None);
        }
        let (under_way, kept_off) = store::returns::obstacles(tx, order).await?;
        let found = store::orders::by_ids(&mut *tx, &[order]).await?.pop();
        let left = found.map(|order| order.returnable());
        Ok(match left {
            _ if under_way => Some(ReturnProblem::UnderWay),
            Some(left) if left.amount_minor == 0 => Some(ReturnProblem::TooMuchMoney { left }),
            _ if *restock && kept_off => Some(ReturnProblem::NotForSale),
            _ => None,
        })
    }
}
