//! Holds units for an order.

use contracts::OrderId;
use contracts::inventory::{ReservationLine, ReservationView, ReserveStock};
use pg_kit::idempotency::request_hash;
use service_kit::crash_point;
use sqlx::PgPool;

use super::Error;
use super::together::Together;
use super::transaction::{carry_out, move_units, retrying, view};
use crate::domain::Refusal;
use crate::domain::reservation::{Command, Decision, decide};
use crate::domain::stock::canonical;
use crate::store::holds::Asked;
use crate::store::reservations;

/// Longest hold, in seconds.
const MAX_TTL_S: u32 = 86_400;

/// A reservation to be made, checked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) order_id: OrderId,
    /// By SKU, each once.
    pub(super) lines: Vec<ReservationLine>,
    pub(super) hash: [u8; 32],
    pub(super) ttl_s: f64,
}

impl Request {
    /// As the store takes it.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            order_id: self.order_id,
            hash: &self.hash,
            ttl_s: self.ttl_s,
            lines: &self.lines,
        }
    }
}

/// Holds all lines or none. The same lines again answer the same; an expired hold is made anew. The time to live is
/// not part of what makes two requests the same, since a caller may send what is left of its own deadline.
///
/// A caller that goes away leaves it made, or not begun: a repeat tells.
pub(crate) async fn reserve(
    together: &Together,
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
    together.reserve(request).await
}

/// Makes a reservation in a transaction of its own.
pub(super) async fn alone(pool: &PgPool, request: &Request) -> Result<ReservationView, Error> {
    retrying(|| attempt(pool, request)).await
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
        crash_point!("moving", head.state.as_str(), order_id);
        tx.commit().await?;
        crash_point!("moved", head.state.as_str(), order_id);
        return Ok(view(&head));
    }
    let command = |head: &reservations::Head| Command::Reserve {
        same_lines: head.request_hash.as_deref() == Some(hash.as_slice()),
    };
    carry_out(tx, *order_id, command, Some(*ttl_s)).await
}
