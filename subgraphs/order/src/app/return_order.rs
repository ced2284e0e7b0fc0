//! Takes a part of a paid order back: units, an amount, or both.

use contracts::{Money, OrderId};
use pg_kit::idempotency::{self, Claim, Scope};
use serde::Serialize;
use service_kit::{crash_point, trace};

use super::{App, AppError, Asked, Key};
use crate::domain::returns::{self, ReturnProblem, Wanted, WantedLine};
use crate::domain::{Line, Order};
use crate::store;
use crate::store::returns::NewReturn;

/// What staff ask for.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnOrder {
    /// Which order.
    pub order: OrderId,
    /// What comes back.
    pub wanted: Wanted,
    /// Why, for the record.
    pub note: String,
}

impl App {
    /// Once for each key. The order's saga is locked, so that returns of an order, and a refund of the whole, are decided
    /// one after the other.
    pub async fn return_order(&self, request: ReturnOrder, key: &Key) -> Result<Asked, AppError> {
        let order = request.order;
        let scope = Scope {
            principal: &key.principal,
            operation: "returnOrder",
            key: &key.key,
        };
        let mut tx = self.requests.begin().await?;
        match idempotency::claim(&mut tx, &scope, &idempotency::request_hash(&request)).await? {
            Claim::Fresh => {}
            Claim::Replay(_) => return Ok(Asked::Done),
            Claim::Reused => return Ok(Asked::KeyReused),
            Claim::InProgress => return Ok(Asked::InProgress),
        }
        if store::saga::lock(&mut tx, order).await?.is_none() {
            return Ok(Asked::NotFound);
        }
        let Some(found) = store::orders::by_ids(&mut *tx, &[order]).await?.pop() else {
            return Ok(Asked::NotFound);
        };
        let lines = lines(store::orders::lines_of(&mut *tx, &[order]).await?);
        let promise = match returns::promise(&found, &lines, &request.wanted) {
            Ok(promise) => promise,
            Err(problem) => return Ok(Asked::NotReturned(problem)),
        };
        let here = event_bus::context(self.host.service, &self.clock);
        let traceparent = trace::joined(here.traceparent.as_deref());
        let back: &[WantedLine] = match &request.wanted {
            Wanted::Amount(_) => &[],
            Wanted::Lines(lines) => lines,
        };
        let new = NewReturn {
            order,
            promise,
            lines: back,
            note: &request.note,
            correlation_id: here.correlation_id.as_deref(),
            traceparent: traceparent.as_deref(),
            at: self.now(),
        };
        store::returns::insert(&mut tx, &new).await?;
        idempotency::complete(&mut tx, &scope, &order).await?;
        crash_point!("returning", order);
        tx.commit().await?;
        crash_point!("returned", order);
        self.returns.notify_one();
        Ok(Asked::Done)
    }

    /// What would be sent back for these lines, as of now.
    pub async fn preview_return(
        &self,
        order: &Order,
        wanted: Vec<WantedLine>,
    ) -> Result<Result<Money, ReturnProblem>, AppError> {
        let lines = lines(store::orders::lines_of(&self.requests, &[order.id]).await?);
        let promise = returns::promise(order, &lines, &Wanted::Lines(wanted));
        Ok(promise.map(|promise| Money::new(promise.amount_minor, order.total.currency)))
    }
}

fn lines(of_order: Vec<(OrderId, Line)>) -> Vec<Line> {
    of_order.into_iter().map(|(_, line)| line).collect()
}
