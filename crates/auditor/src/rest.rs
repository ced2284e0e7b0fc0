//! Waiting until nothing is under way any more.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgPool;

use crate::{Books, Provider};

const POLL: Duration = Duration::from_millis(250);

/// What is still under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    /// Orders that are not final.
    pub open_orders: i64,
    /// Events not yet published, in all databases.
    pub unpublished: i64,
    /// Events received and not yet tried.
    pub unapplied: i64,
    /// Sagas under a lease.
    pub leases: i64,
    /// Refunds that the provider has not completed.
    pub refunds: i64,
    /// Payments that will still succeed at the provider, and webhooks it has not got rid of; 0 when no provider is asked.
    pub at_provider: i64,
}

impl Rest {
    /// Whether nothing is.
    pub fn is_quiet(&self) -> bool {
        *self == Self::default()
    }

    /// Looks once.
    pub async fn look(books: &Books, provider: Option<&Provider>) -> Result<Self> {
        // The provider first: what it has got rid of by then is in our books.
        let at_provider = match provider {
            Some(provider) => provider.to_come().await?,
            None => 0,
        };
        let mut unpublished = 0;
        for (_, pool) in books.each() {
            unpublished += count(pool, "SELECT count(*) FROM outbox WHERE published_at IS NULL").await?;
        }
        Ok(Self {
            open_orders: count(
                &books.order,
                "SELECT count(*) FROM orders WHERE terminal_at IS NULL",
            )
            .await?,
            unpublished,
            unapplied: count(
                &books.order,
                "SELECT count(*) FROM inbox WHERE status = 'PENDING' AND attempts = 0",
            )
            .await?,
            leases: count(
                &books.order,
                "SELECT count(*) FROM saga WHERE lease_until IS NOT NULL",
            )
            .await?,
            refunds: count(
                &books.payment,
                "SELECT count(*) FROM refund WHERE status = 'PENDING'",
            )
            .await?,
            at_provider,
        })
    }
}

/// Looks until all is quiet or the time is up; answers the last look. Quiet is what two looks in a row found quiet: an
/// event between the broker and an inbox is in no table.
///
/// # Errors
///
/// When a database or the provider can't be asked.
pub async fn wait_for_rest(books: &Books, provider: Option<&Provider>, patience: Duration) -> Result<Rest> {
    let begun = Instant::now();
    let mut quiet = 0;
    loop {
        let rest = Rest::look(books, provider).await?;
        quiet = if rest.is_quiet() { quiet + 1 } else { 0 };
        if quiet == 2 || begun.elapsed() >= patience {
            return Ok(rest);
        }
        tokio::time::sleep(POLL).await;
    }
}

pub(crate) async fn count(pool: &PgPool, sql: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(pool).await
}
