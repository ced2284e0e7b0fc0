//! The catalogue's stores: PostgreSQL holds the truth, Redis a short-lived copy. All SQL and all Redis commands of
//! this service stand here; no rule does.

pub mod cache;
pub mod categories;
pub mod facets;
pub mod import;
pub mod listing;
pub mod products;
pub mod variants;
pub mod words;
pub mod writes;

use std::str::FromStr;

use sqlx::PgPool;

/// A store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("can't {operation}")]
pub struct StoreError {
    /// What was being done, as in "can't find products".
    pub operation: &'static str,
    /// Why.
    #[source]
    pub source: sqlx::Error,
}

impl StoreError {
    /// Whether the store did not answer at all, or asks to try again.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.source,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)
        ) || pg_kit::is_retryable(&self.source)
    }
}

/// Names the operation that a database error interrupted.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError {
            operation,
            source: pg_kit::count_error(source),
        })
    }
}

/// Makes every statement be planned with its values: a list's optional filters fold away, and each order finds its
/// index. Connections opened before are replaced.
pub async fn plan_with_values(pool: &PgPool) -> Result<(), StoreError> {
    let options = pool.connect_options();
    pool.set_connect_options(
        options
            .as_ref()
            .clone()
            .options([("plan_cache_mode", "force_custom_plan")]),
    );
    for _ in 0..pool.num_idle() {
        let old = pool.acquire().await.during("reach the database")?;
        old.close().await.during("renew a connection")?;
    }
    Ok(())
}

/// A stored text as the type it must be; a row that is not is a fault of ours.
pub(crate) fn stored<T>(text: &str) -> Result<T, sqlx::Error>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(|error: T::Err| sqlx::Error::Decode(Box::new(error)))
}
