//! Takes some of an order's sold units back.

use contracts::OrderId;
use contracts::inventory::{ReservationLine, ReservationView};
use service_kit::crash_point;
use sqlx::PgPool;

use super::Error;
use super::transaction::{retrying, view};
use crate::domain::Refusal;
use crate::domain::reservation::State;
use crate::domain::stock::canonical;
use crate::store::reservations;

/// Puts units of a confirmed reservation back on the shelf, once for each number of a return, and never more of a line
/// than were sold. A line is a SKU: an order has each once in its reservation.
pub(crate) async fn return_lines(
    pool: &PgPool,
    order_id: OrderId,
    number: i32,
    lines: Vec<ReservationLine>,
) -> Result<ReservationView, Error> {
    if number < 1 {
        return Err(Refusal::Invalid("a return has a number from 1".to_owned()).into());
    }
    let lines = canonical(lines)?;
    retrying(|| attempt(pool, order_id, number, &lines)).await
}

async fn attempt(
    pool: &PgPool,
    order_id: OrderId,
    number: i32,
    lines: &[ReservationLine],
) -> Result<ReservationView, Error> {
    let mut tx = pool.begin().await?;
    let head = reservations::lock(&mut tx, order_id)
        .await?
        .ok_or(Refusal::Unknown)?;
    // First, since what was returned stays returned even if the rest is restocked later.
    let before = reservations::returned_by(&mut tx, order_id, number).await?;
    if before == lines {
        return Ok(view(&head));
    }
    if !before.is_empty() {
        return Err(Refusal::BodyMismatch.into());
    }
    if head.state != State::Confirmed {
        return Err(Refusal::NotSold.into());
    }
    let too_many = reservations::record_return(&mut tx, order_id, number, lines).await?;
    if !too_many.is_empty() {
        return Err(Refusal::TooMany(too_many).into());
    }
    reservations::take_back_units(&mut tx, lines).await?;
    crash_point!("moving", "RETURN", order_id);
    tx.commit().await?;
    crash_point!("moved", "RETURN", order_id);
    Ok(view(&head))
}
