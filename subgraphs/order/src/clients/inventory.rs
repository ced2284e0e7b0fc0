//! Inventory: holds, sells and takes back stock, by the order's id.

use contracts::inventory::{ReservationState, ReservationView, ReserveStock, ReturnStock};
use contracts::{OrderId, ProblemCode};
use service_auth::{CallError, ServiceClient};

use crate::domain::returns::{Call, Heard};
use crate::saga::Reply;

/// The inventory service.
#[derive(Clone)]
pub(crate) struct Inventory(pub(super) ServiceClient);

impl Inventory {
    /// Sets stock aside.
    pub(crate) async fn reserve(&self, order: OrderId, body: &ReserveStock) -> Result<Reply, CallError> {
        let answer: Result<ReservationView, _> = self.0.put(&format!("/reservations/{order}"), body).await;
        match answer {
            Ok(view) => match view.state {
                ReservationState::Held | ReservationState::Confirmed => Ok(Reply::Held),
                _ => Ok(Reply::StockRefused),
            },
            Err(error) => refused(error, Reply::StockRefused, |code| {
                matches!(
                    code,
                    ProblemCode::OutOfStock
                        | ProblemCode::Released
                        | ProblemCode::Gone
                        | ProblemCode::BodyMismatch
                        | ProblemCode::Invalid
                )
            }),
        }
    }

    /// Turns the hold into a sale, holding anew if it expired.
    pub(crate) async fn confirm(&self, order: OrderId) -> Result<Reply, CallError> {
        let path = format!("/reservations/{order}/confirm");
        match self.0.post::<_, ReservationView>(&path, &()).await {
            Ok(_) => Ok(Reply::Confirmed),
            Err(error) => refused(error, Reply::StockGone, |code| {
                matches!(code, ProblemCode::Gone | ProblemCode::OutOfStock)
            }),
        }
    }

    /// Gives the hold back; a hold that isn't known yet can't be made later.
    pub(crate) async fn release(&self, order: OrderId) -> Result<Reply, CallError> {
        match self
            .0
            .delete::<ReservationView>(&format!("/reservations/{order}"))
            .await
        {
            Ok(_) => Ok(Reply::Released),
            Err(error) => refused(error, Reply::AlreadyConfirmed, |code| {
                code == ProblemCode::AlreadyConfirmed
            }),
        }
    }

    /// Takes sold units back.
    pub(crate) async fn restock(&self, order: OrderId) -> Result<Reply, CallError> {
        let path = format!("/reservations/{order}/restock");
        self.0.post::<_, ReservationView>(&path, &()).await?;
        Ok(Reply::Restocked)
    }

    /// Takes some sold units back, once for each number.
    pub(crate) async fn take_back(
        &self,
        order: OrderId,
        number: i32,
        body: &ReturnStock,
    ) -> Result<Heard, CallError> {
        let path = format!("/reservations/{order}/returns/{number}");
        match self.0.put::<_, ReservationView>(&path, body).await {
            Ok(_) => Ok(Heard::UnitsOnShelf),
            Err(error) => refused_return(error, Call::Restock),
        }
    }
}

/// What a callee says of a return for good; any other answer is a fault, and nothing is known.
pub(super) fn refused_return(error: CallError, call: Call) -> Result<Heard, CallError> {
    use ProblemCode::{BodyMismatch, Invalid, InvalidState, NotFound};
    match error {
        CallError::Refused(problem)
            if matches!(problem.code, BodyMismatch | Invalid | InvalidState | NotFound) =>
        {
            Ok(Heard::Refused(call, problem.to_string()))
        }
        error => Err(error),
    }
}

/// A refusal with one of the codes that decide is `reply`; any other is a fault, and nothing is known.
pub(super) fn refused(
    error: CallError,
    reply: Reply,
    decides: impl Fn(ProblemCode) -> bool,
) -> Result<Reply, CallError> {
    match error {
        CallError::Refused(problem) if decides(problem.code) => Ok(reply),
        error => Err(error),
    }
}
