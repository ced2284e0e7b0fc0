//! Carries returns out as `run_saga` does sagas: claim, call outside any transaction, save the answer, go on.

use std::time::Duration;

use contracts::OrderId;
use contracts::inventory::ReturnStock;
use futures::stream::{self, StreamExt};
use service_kit::{correlation, crash_point, trace};
use sqlx::PgConnection;
use tracing::Instrument;

use super::run_saga::RECHECK;
use super::{App, Inner};
use crate::domain::returns::{Call, Heard, Return, number_of};
use crate::saga::Due;
use crate::store;
use crate::store::returns::Held;

/// Returns are few, and each is committed before its worker is woken.
const POLL: Duration = Duration::from_secs(1);
const BATCH: usize = 16;

impl App {
    pub(super) async fn run_returns_forever(self) {
        loop {
            let full = match self.run_returns().await.map_err(pg_kit::count_error) {
                Ok(made) => made == BATCH,
                Err(error) => {
                    tracing::warn!(%error, "can't claim returns");
                    false
                }
            };
            if self.host.shutdown.is_cancelled() || (!full && !self.pause(&self.returns, POLL).await) {
                return;
            }
        }
    }

    /// Makes the calls of one batch of due returns; answers how many returns there were.
    pub async fn run_returns(&self) -> Result<usize, sqlx::Error> {
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let held = store::returns::claim(&self.workers, limit, self.policy.lease).await?;
        let claimed = held.len();
        stream::iter(held)
            .for_each_concurrent(BATCH, |held| self.carry(held))
            .await;
        Ok(claimed)
    }

    /// Carries a return as far as it comes, as a part of the request that asked for it.
    async fn carry(&self, held: Held) {
        let span = tracing::info_span!("return", order = %held.state.order_id, number = held.state.number);
        trace::with_parent(&span, held.traceparent.as_deref());
        let id = held.correlation_id.clone().unwrap_or_else(correlation::new_id);
        let carried = async {
            let mut next = Some(held);
            while let Some(held) = next {
                next = match self.carry_once(held).await.map_err(pg_kit::count_error) {
                    Ok(next) => next,
                    Err(error) => {
                        tracing::warn!(%error, "a return's answer can't be saved; its lease ends by itself");
                        None
                    }
                };
            }
        };
        correlation::scope(id, carried).instrument(span).await;
    }

    /// Makes one call and saves what it answered; gives the return back if there is another call to make at once.
    async fn carry_once(&self, mut held: Held) -> Result<Option<Held>, sqlx::Error> {
        let Some(call) = held.state.call() else {
            return Ok(None);
        };
        let order = held.state.order_id;
        crash_point!("before", call.as_str(), order);
        let heard = self.make(call, &held.state).await;
        crash_point!("after", call.as_str(), order);
        if let Heard::Refused(call, why) = &heard {
            tracing::error!(%order, number = held.state.number, call = call.as_str(), why, "a return needs a person");
            super::measure::alarm();
        }
        held.state.hear(heard, self.now());
        let at_once = held.state.due == Due::Now;
        if at_once {
            held.state.attempt += 1;
        }
        let wait = if at_once {
            Some(self.policy.lease)
        } else {
            self.wait(&held.state)
        };
        let mut conn = self.workers.acquire().await?;
        if !store::returns::save(&mut conn, &held, wait).await? {
            super::measure::lost();
            return Ok(None);
        }
        held.fence += 1;
        Ok(at_once.then_some(held))
    }
}

impl Inner {
    fn wait(&self, state: &Return) -> Option<Duration> {
        match state.due {
            Due::Never => None,
            Due::Now => Some(Duration::ZERO),
            Due::Backoff => Some(self.policy.backoff.delay(state.attempt.saturating_sub(1))),
            Due::Recheck => Some(RECHECK),
        }
    }

    async fn make(&self, call: Call, state: &Return) -> Heard {
        let order = state.order_id;
        let answer = match call {
            Call::Refund => {
                self.clients
                    .payment
                    .give_back(order, &state.reason(), state.amount)
                    .await
            }
            Call::Restock => match store::returns::shelf_of(&self.workers, order, state.number)
                .await
                .map_err(pg_kit::count_error)
            {
                Ok(lines) => {
                    let body = ReturnStock { lines };
                    self.clients.inventory.take_back(order, state.number, &body).await
                }
                Err(error) => return Heard::NoAnswer(format!("the return's lines can't be read: {error}")),
            },
        };
        answer.unwrap_or_else(|error| {
            tracing::warn!(call = call.as_str(), attempt = state.attempt, %error, "no answer");
            Heard::NoAnswer(format!("{}: {error}", call.as_str()))
        })
    }

    /// Payment tells that a refund is through: true if a return had asked for it.
    pub(super) async fn hear_of_refund(
        &self,
        tx: &mut PgConnection,
        order: OrderId,
        reason: &str,
    ) -> Result<bool, sqlx::Error> {
        let Some(number) = number_of(reason) else {
            return Ok(false);
        };
        let Some(mut held) = store::returns::lock(tx, order, Some(number)).await?.pop() else {
            return Ok(false);
        };
        let before = held.state.money;
        held.state.hear(Heard::MoneyWentBack, self.clock.now());
        if held.state.money != before {
            store::returns::save(tx, &held, self.wait(&held.state)).await?;
        }
        Ok(true)
    }

    /// Makes the awaited calls of an order's returns now; answers whether there are any.
    pub(super) async fn retry_returns(
        &self,
        tx: &mut PgConnection,
        order: OrderId,
    ) -> Result<bool, sqlx::Error> {
        let mut any = false;
        for mut held in store::returns::lock(tx, order, None).await? {
            if held.state.retry() {
                store::returns::save(tx, &held, Some(Duration::ZERO)).await?;
                any = true;
            }
        }
        Ok(any)
    }
}
