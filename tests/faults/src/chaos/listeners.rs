//! Those that only hear of orders: killed on the way, they must have heard of each, and of each once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::PgPool;
use tokio::time::sleep;

use super::checks::Check;
use super::schedule::LISTENERS;
use crate::world::{World, lazy_pool};

/// Their inboxes may still be at work when the last order is final.
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(500);

/// The checks of every listener that takes part.
pub(super) async fn judge(world: &World) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for listener in LISTENERS.into_iter().filter(|name| world.runs(name)) {
        let pool = lazy_pool(&world.plan.database_url(listener))?;
        let begun = Instant::now();
        let mut waiting = 1;
        while waiting > 0 && begun.elapsed() < PATIENCE {
            waiting = count(&pool, "SELECT count(*) FROM inbox WHERE status = 'PENDING'").await?;
            sleep(PAUSE).await;
        }
        let dead = count(&pool, "SELECT count(*) FROM inbox WHERE status = 'DEAD'").await?;
        let done = count(&pool, "SELECT count(*) FROM inbox WHERE status = 'DONE'").await?;
        let fault = (waiting + dead > 0).then(|| format!("{waiting} wait, {dead} were given up"));
        checks.push(Check::new(
            format!("{listener} applied all it heard"),
            u64::try_from(done)?,
            fault,
        ));
        if listener == "notification" {
            checks.extend(told_once(world, &pool).await.context("notifications")?);
        }
    }
    Ok(checks)
}

/// Each order was told as received, each paid one as paid, and none twice.
async fn told_once(world: &World, told: &PgPool) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for (kind, sql) in [
        ("ORDER_RECEIVED", "SELECT count(*) FROM orders"),
        (
            "ORDER_PAID",
            "SELECT count(DISTINCT order_id) FROM order_history WHERE to_status = 'PAID'",
        ),
    ] {
        let orders = count(&world.books.order, sql).await?;
        let (all, each): (i64, i64) =
            sqlx::query_as("SELECT count(*), count(DISTINCT order_id) FROM notification WHERE kind = $1")
                .bind(kind)
                .fetch_one(told)
                .await?;
        let fault = (all != orders || each != orders).then(|| format!("{all} were told, of {each} orders"));
        checks.push(Check::new(
            format!("told once: {kind}"),
            u64::try_from(orders)?,
            fault,
        ));
    }
    let dead = count(told, "SELECT count(*) FROM mail WHERE state = 'DEAD'").await?;
    let fault = (dead > 0).then(|| format!("{dead} were"));
    checks.push(Check::new("no mail was given up", u64::try_from(dead)?, fault));
    Ok(checks)
}

async fn count(pool: &PgPool, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}
