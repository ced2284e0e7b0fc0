//! Makes the sums again from what was heard, in one transaction. Who reads meanwhile sees the sums as they were; events
//! wait in the inbox.

use contracts::{EventId, UserId};
use sqlx::{Postgres, Transaction};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::hear::count;
use super::{App, AppError};
use crate::domain::rebuild::{Rebuild, State};
use crate::store;

/// Orders that are folded together.
const AT_ONCE: i64 = 500;
/// How often the log says how far it is, in chunks.
const TOLD_EVERY: u64 = 20;

/// A rebuild that was asked for.
pub struct Begun {
    /// Its record.
    pub rebuild: Rebuild,
    /// Its work, if it was not under way before.
    pub work: Option<JoinHandle<()>>,
}

impl App {
    /// Begins to make the sums again, in the background; asked while that is under way, answers the one at work.
    pub async fn begin_rebuild(&self, by: UserId, reason: &str) -> Result<Begun, AppError> {
        let mut tx = self.workers.begin().await?;
        if !store::locks::begin_rebuild(&mut tx).await? {
            tx.rollback().await?;
            return match store::rebuilds::last(&self.requests).await? {
                Some(rebuild) if rebuild.state == State::Running => Ok(Begun { rebuild, work: None }),
                // It has its lock and not its record yet, or not any more: in a moment that will be otherwise.
                _ => Err(AppError::Busy),
            };
        }
        // Recorded beside the transaction, so that others see it.
        let id = EventId::generate().uuid();
        let rebuild = store::rebuilds::begin(&self.requests, id, by, reason).await?;
        tracing::info!(rebuild = %id, %by, reason, "the sums are made again");
        let work = self.host.tasks.spawn(self.clone().rebuild(tx, id));
        Ok(Begun {
            rebuild,
            work: Some(work),
        })
    }

    /// The last rebuild.
    pub(crate) async fn last_rebuild(&self) -> Result<Option<Rebuild>, AppError> {
        Ok(store::rebuilds::last(&self.requests).await?)
    }

    async fn rebuild(self, tx: Transaction<'static, Postgres>, id: Uuid) {
        match fold_all(tx, id).await.map_err(pg_kit::count_error) {
            Ok((facts, orders)) => tracing::info!(rebuild = %id, facts, orders, "the sums were made again"),
            Err(error) => {
                tracing::error!(rebuild = %id, %error, "the sums could not be made again");
                let failed = store::rebuilds::fail(&self.workers, id, &error.to_string()).await;
                if let Err(error) = failed.map_err(pg_kit::count_error) {
                    tracing::warn!(rebuild = %id, %error, "nor could that be recorded");
                }
            }
        }
    }
}

async fn fold_all(mut tx: Transaction<'static, Postgres>, id: Uuid) -> Result<(i64, i64), sqlx::Error> {
    store::locks::keep_writers_out(&mut tx).await?;
    store::sums::clear(&mut tx).await?;
    let (mut orders, mut after, mut chunks) = (0_i64, None, 0_u64);
    loop {
        let next = store::facts::next_orders(&mut tx, after, AT_ONCE).await?;
        let Some(last) = next.last().copied() else { break };
        let facts = store::facts::of_orders(&mut tx, &next).await?;
        count(&mut tx, &facts).await?;
        orders += i64::try_from(next.len()).unwrap_or(i64::MAX);
        (after, chunks) = (Some(last), chunks + 1);
        if chunks.is_multiple_of(TOLD_EVERY) {
            tracing::info!(rebuild = %id, orders, "folded");
        }
    }
    let facts = store::facts::count(&mut tx).await?;
    store::rebuilds::end(&mut tx, id, facts, orders).await?;
    tx.commit().await?;
    Ok((facts, orders))
}
