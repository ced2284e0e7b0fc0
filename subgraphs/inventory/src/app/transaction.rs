//! How every change of a reservation runs: in a task of its own, again after a lost race, locks in one order.

use std::time::Duration;

use contracts::OrderId;
use contracts::inventory::ReservationView;
use service_kit::{Backoff, bug, correlation, crash_point};
use sqlx::{Postgres, Transaction};

use super::Error;
use crate::domain::Refusal;
use crate::domain::reservation::{Command, Decision, Move, State, decide};
use crate::store::reservations::{self, Head};

const TRIES: u32 = 5;
const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(10),
    cap: Duration::from_millis(200),
};

/// Runs work that must not stop half-way when the client goes away.
pub(crate) async fn in_task<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    correlation::spawn(work).await?
}

/// Tries again, with the same ids, what a serialisation failure, deadlock or lock time-out undid.
pub(super) async fn retrying<T, F>(attempt: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut tries = 0;
    loop {
        match attempt().await {
            Err(Error::Store(fault)) if pg_kit::is_retryable(&fault) && tries + 1 < TRIES => {
                tracing::debug!(%fault, tries, "trying the transaction again");
                tokio::time::sleep(BACKOFF.delay(tries)).await;
                tries += 1;
            }
            settled => return settled,
        }
    }
}

/// Decides a command on an order's reservation and carries it out, then commits.
pub(super) async fn carry_out(
    mut tx: Transaction<'static, Postgres>,
    order_id: OrderId,
    command: impl FnOnce(&Head) -> Command,
    ttl_s: Option<f64>,
) -> Result<ReservationView, Error> {
    let head = reservations::lock(&mut tx, order_id)
        .await?
        .ok_or(Refusal::Unknown)?;
    match decide(Some(head.state), command(&head))? {
        Decision::Repeat => {
            tx.rollback().await?;
            Ok(view(&head))
        }
        Decision::Move(change) => {
            let heads = reservations::record(&mut tx, &[order_id], &change, ttl_s).await?;
            let head = heads.first().ok_or(Refusal::Unknown)?;
            move_units(&mut tx, order_id, &change).await?;
            crash_point!("moving", change.to.as_str(), order_id);
            tx.commit().await?;
            crash_point!("moved", change.to.as_str(), order_id);
            Ok(view(head))
        }
    }
}

/// Moves the units a change needs; refuses when there are too few, so that the caller's transaction rolls back.
pub(super) async fn move_units(
    tx: &mut Transaction<'static, Postgres>,
    order_id: OrderId,
    change: &Move,
) -> Result<(), Error> {
    if change.units().is_none() {
        return Ok(());
    }
    let short = reservations::move_units(tx, &[order_id], change.units()).await?;
    if short.is_empty() || bug!("no_available_predicate") {
        Ok(())
    } else {
        Err(Refusal::OutOfStock(short).into())
    }
}

/// What callers see of a head.
pub(super) fn view(head: &Head) -> ReservationView {
    ReservationView {
        order_id: head.order_id,
        state: head.state.public(),
        expires_at: head.expires_at.filter(|_| head.state == State::Held),
    }
}
