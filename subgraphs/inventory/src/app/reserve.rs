//! Holds units for an order.

use contracts::OrderId;
use contracts::inventory::{ReservationLine, ReservationView, ReserveStock};
use pg_kit::idempotency::request_hash;
use sqlx::PgPool;

use super::Error;
use super::transaction::{carry_out, move_units, retrying, view};
use crate::domain::Refusal;
use crate::domain::reservation::{Command, Decision, decide};
use crate::domain::stock::canonical;
use crate::store::reservations;

/// Longest hold, in seconds.
const MAX_TTL_S: u32 = 86_400;

struct Request {
    order_id: OrderId,
    lines: Vec<ReservationLine>,
    hash: [u8; 32],
    ttl_s: f64,
}

/// Holds all lines or none. The same lines again answer the same; an expired hold is made anew. The time to live is
/// not part of what makes two requests the same, since a caller may send what is left of its own deadline.
pub(crate) async fn reserve(
    pool: &PgPool,
    order_id: OrderId,
    asked: ReserveStock,
) -> Result<ReservationView, Error> {
    if !(1..=MAX_TTL_S).contains(&asked.ttl_s) {
        return Err(Refusal::Invalid(format!("ttl_s is 1 to {MAX_TTL_S}")).into());
    }
    let lines = canonical(asked.lines)?;
    let hash = request_hash(&lines);
    let request = Request {
        order_id,
        lines,
        hash,
        ttl_s: f64::from(asked.ttl_s),
    };
    retrying(|| attempt(pool, &request)).await
}

async fn attempt(pool: &PgPool, request: &Request) -> Result<ReservationView, Error> {
    let Request {
        order_id,
        lines,
        hash,
        ttl_s,
    } = request;
    let mut tx = pool.begin().await?;
    let fresh = decide(None, Command::Reserve { same_lines: true })?;
    if let Decision::Move(change) = fresh
        && let Some(head) = reservations::insert_held(&mut tx, *order_id, hash, *ttl_s, lines).await?
    {
        move_units(&mut tx, *order_id, &change).await?;
        tx.commit().await?;
        return Ok(view(&head));
    }
    let command = |head: &reservations::Head| Command::Reserve {
        same_lines: head.request_hash.as_deref() == Some(hash.as_slice()),
    };
    carry_out(tx, *order_id, command, Some(*ttl_s)).await
}
