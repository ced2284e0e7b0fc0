//! Reservations of one SKU go together: whoever arrives while a transaction is at work on it waits for the next one,
//! and all who waited are in it. So a hot SKU costs one lock and one commit for many buyers, not one for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use contracts::inventory::ReservationView;
use contracts::{OrderId, Sku};
use futures::future::join_all;
use service_kit::{bug, correlation, crash_point, trace};
use sqlx::PgPool;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::reserve::{Request, alone};
use super::{Error, in_task};
use crate::domain::Refusal;
use crate::domain::allot::allot;
use crate::domain::queue::{Batch, Queue};
use crate::domain::reservation::State;
use crate::store::holds::{self, Asked};

/// A reservation and who waits for it.
struct Ticket {
    request: Request,
    correlation_id: Option<String>,
    /// A part of the caller's trace, from asking to the answer.
    span: Span,
    answer: oneshot::Sender<Result<ReservationView, Error>>,
}

/// The reservations of this process; clones share the queue. Other processes have their own: the database's locks
/// keep them apart.
#[derive(Clone)]
pub(crate) struct Together {
    pool: PgPool,
    /// Absent: each goes alone.
    queue: Option<Arc<Mutex<Queue<Ticket>>>>,
}

impl Together {
    /// Up to `most` reservations share a transaction.
    pub(crate) fn new(pool: PgPool, most: usize) -> Self {
        Self {
            pool,
            queue: (most > 1).then(|| Arc::new(Mutex::new(Queue::new(most)))),
        }
    }

    pub(super) async fn reserve(&self, request: Request) -> Result<ReservationView, Error> {
        let Some(queue) = &self.queue else {
            let pool = self.pool.clone();
            return in_task(async move { alone(&pool, &request).await }).await;
        };
        let (answer, heard) = oneshot::channel();
        let order = request.order_id;
        let skus = request.lines.iter().map(|line| line.sku.clone()).collect();
        let ticket = Ticket {
            request,
            correlation_id: correlation::current(),
            span: tracing::info_span!("reserve", %order),
            answer,
        };
        let begun = lock(queue).push(order, skus, ticket);
        if let Some(batch) = begun {
            start(self.pool.clone(), Arc::clone(queue), batch);
        }
        heard.await.unwrap_or(Err(Error::Batch))
    }
}

fn lock(queue: &Mutex<Queue<Ticket>>) -> MutexGuard<'_, Queue<Ticket>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works on a batch in a task that no caller can take away, then on whoever waited for it.
fn start(pool: PgPool, queue: Arc<Mutex<Queue<Ticket>>>, batch: Batch<Ticket>) {
    let span = shared(&batch.work);
    let work = async move {
        let skus = batch.skus.clone();
        // In a task of its own, so that not even a panic leaves the SKUs taken.
        let worked = tokio::spawn(settle(pool.clone(), batch.work).in_current_span());
        if let Err(fault) = worked.await {
            tracing::error!(%fault, "a batch of reservations died");
        }
        let next = lock(&queue).done(&skus);
        for batch in next {
            start(pool.clone(), Arc::clone(&queue), batch);
        }
    };
    tokio::spawn(work.instrument(span));
}

/// The span of a batch, to which those of its tickets are tied: it is nobody's child, for it works for many. A ticket
/// alone needs none beside its own.
fn shared(tickets: &[Ticket]) -> Span {
    if tickets.len() < 2 {
        return Span::none();
    }
    // A root: a hot SKU's batches follow each other for hours, and each span would keep the one before.
    let span = tracing::info_span!(parent: None, "reservations", count = tickets.len());
    for ticket in tickets {
        trace::link(&ticket.span, &span);
    }
    span
}

/// Answers every ticket. What can't be settled together is settled alone, so that no reservation suffers from the
/// company it is in; and since a repeat answers the same, that is right even when a commit's outcome is unknown.
async fn settle(pool: PgPool, mut tickets: Vec<Ticket>) {
    // Whoever gave up before the work began is told nothing and gets nothing.
    tickets.retain(|ticket| !ticket.answer.is_closed());
    measure(tickets.len());
    if tickets.len() > 1 {
        match hold(&pool, &tickets).await {
            Ok(outcomes) => tickets = hand_out(tickets, outcomes),
            Err(fault) => {
                tracing::warn!(error = ?anyhow::Error::from(fault), count = tickets.len(), "reservations go alone");
            }
        }
    }
    let pool = &pool;
    join_all(tickets.into_iter().map(|ticket| async move {
        let work = alone(pool, &ticket.request).instrument(ticket.span.clone());
        let outcome = match ticket.correlation_id {
            Some(id) => correlation::scope(id, work).await,
            None => work.await,
        };
        // The caller may have gone away; its reservation stays.
        let _ = ticket.answer.send(outcome);
    }))
    .await;
}

/// What a transaction made of each ticket; none: the order is not new, and what it may do is not decided here.
type Outcome = Option<Result<ReservationView, Refusal>>;

/// Answers what is settled; returns the others.
fn hand_out(tickets: Vec<Ticket>, outcomes: Vec<Outcome>) -> Vec<Ticket> {
    let mut left = Vec::new();
    for (ticket, outcome) in tickets.into_iter().zip(outcomes) {
        match outcome {
            Some(outcome) => {
                let _ = ticket.answer.send(outcome.map_err(Error::from));
            }
            None => left.push(ticket),
        }
    }
    left
}

/// One transaction for all. Locks are taken in the one order: heads by id, then stock by SKU, which is then changed
/// and committed.
async fn hold(pool: &PgPool, tickets: &[Ticket]) -> Result<Vec<Outcome>, Error> {
    let asked: Vec<Asked<'_>> = tickets.iter().map(|ticket| ticket.request.asked()).collect();
    let mut tx = pool.begin().await?;
    let until = holds::insert(&mut tx, &asked).await?;
    let new: Vec<&Asked<'_>> = asked
        .iter()
        .filter(|asked| until.contains_key(&asked.order_id))
        .collect();
    let mut available = holds::lock_stock(&mut tx, &new).await?;
    let short = allot(new.iter().map(|asked| asked.lines), &mut available);
    let verdicts: HashMap<OrderId, Vec<Sku>> = new.iter().map(|asked| asked.order_id).zip(short).collect();
    let (granted, refused): (Vec<OrderId>, Vec<OrderId>) = verdicts
        .keys()
        .copied()
        .partition(|order| verdicts[order].is_empty());
    if granted.is_empty() {
        tx.rollback().await?;
    } else {
        crash_point!("moving", State::Held.as_str(), granted[0]);
        if !refused.is_empty() {
            holds::take_back(&mut tx, &refused).await?;
        }
        holds::take_units(&mut tx, &granted).await?;
        tx.commit().await?;
        crash_point!("moved", State::Held.as_str(), granted[0]);
    }
    Ok(asked
        .iter()
        .map(|asked| outcome(asked.order_id, &until, &verdicts))
        .collect())
}

fn outcome(
    order_id: OrderId,
    until: &HashMap<OrderId, DateTime<Utc>>,
    verdicts: &HashMap<OrderId, Vec<Sku>>,
) -> Outcome {
    let short = verdicts.get(&order_id)?;
    if !short.is_empty() {
        // With the bug, whoever is short goes alone, where it is.
        return (!bug!("no_available_predicate")).then(|| Err(Refusal::OutOfStock(short.clone())));
    }
    Some(Ok(ReservationView {
        order_id,
        state: State::Held.public(),
        expires_at: until.get(&order_id).copied(),
    }))
}

fn measure(count: usize) {
    let told = |name, help, by: u64| {
        service_kit::metrics::counter(name, help, &[])
            .with_label_values::<&str>(&[])
            .inc_by(by);
    };
    told(
        "inventory_reservations_begun_total",
        "Reservations begun.",
        count as u64,
    );
    told(
        "inventory_reservation_batches_total",
        "Transactions they were begun in: fewer when a SKU is hot.",
        u64::from(count > 0),
    );
}
