//! Cuts connections between COMMIT and its answer.
//!
//! With `synchronous_standby_names` naming a standby that does not exist, PostgreSQL carries a COMMIT out and then
//! waits before it answers. A backend that is terminated while it waits so has committed, and its client will never
//! hear: exactly the outcome that nobody can know.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::system::System;

const PATIENCE: Duration = Duration::from_secs(8);
/// For how long commits are cut once one was.
const CUT_FOR: Duration = Duration::from_millis(700);

/// Cuts COMMITs of one service; answers how many.
pub(super) async fn cut(system: &System, service: &str) -> Result<i64> {
    configure(system, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await?;
    let cut = cut_waiting(system, &format!("{service}_db")).await;
    // Whoever else waited goes on as if nothing had been.
    configure(system, "ALTER SYSTEM RESET synchronous_standby_names").await?;
    cut
}

async fn cut_waiting(system: &System, database: &str) -> Result<i64> {
    let begun = Instant::now();
    let mut first: Option<Instant> = None;
    let mut cut = 0;
    while begun.elapsed() < PATIENCE && first.is_none_or(|at| at.elapsed() < CUT_FOR) {
        let now: i64 = sqlx::query_scalar(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = $1 AND wait_event = 'SyncRep'",
        )
        .bind(database)
        .fetch_one(&system.postgres)
        .await?;
        if now > 0 {
            first.get_or_insert_with(Instant::now);
        }
        cut += now;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(cut)
}

async fn configure(system: &System, statement: &'static str) -> Result<()> {
    sqlx::query(statement).execute(&system.postgres).await?;
    sqlx::query("SELECT pg_reload_conf()")
        .execute(&system.postgres)
        .await?;
    Ok(())
}
