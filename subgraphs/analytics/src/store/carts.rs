//! How many carts were begun, as cart told.

use chrono::{DateTime, Utc};
use contracts::cart::CartsStartedHour;
use sqlx::PgExecutor;

/// Keeps what cart told. A count never falls: what cart has lost since stays known.
pub(crate) async fn keep(db: impl PgExecutor<'_>, hours: &[CartsStartedHour]) -> Result<(), sqlx::Error> {
    let begun: Vec<DateTime<Utc>> = hours.iter().map(|hour| hour.hour).collect();
    let carts: Vec<i64> = hours
        .iter()
        .map(|hour| i64::try_from(hour.carts).unwrap_or(i64::MAX))
        .collect();
    sqlx::query!(
        "INSERT INTO carts_hour AS known (hour, carts)
         SELECT hour, max(carts) FROM unnest($1::timestamptz[], $2::bigint[]) AS told (hour, carts)
         GROUP BY hour ORDER BY hour
         ON CONFLICT (hour) DO UPDATE SET carts = excluded.carts WHERE excluded.carts > known.carts",
        &begun,
        &carts
    )
    .execute(db)
    .await?;
    Ok(())
}
