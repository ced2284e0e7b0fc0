//! Cuts connections between COMMIT and its answer.
//!
//! With `synchronous_standby_names` naming a standby that does not exist, PostgreSQL carries a COMMIT out and then
//! waits before it answers. A backend that is terminated while it waits so has committed, and its client will never
//! hear: exactly the outcome that nobody can know.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::system::System;

const PATIENCE: Duration = Duration::from_secs(20);
/// For how long commits are cut once one was.
const CUT_FOR: Duration = Duration::from_millis(700);

/// Lets the COMMITs of one service, and of no other, wait for a standby. Its next connections are the first.
pub(super) async fn prepare(system: &System, service: &str) -> Result<()> {
    configure(system, "ALTER SYSTEM SET synchronous_commit = 'local'".to_owned()).await?;
    configure(
        system,
        format!("ALTER DATABASE {service}_db SET synchronous_commit = 'on'"),
    )
    .await
}

/// Cuts COMMITs of one service; answers how many.
pub(super) async fn cut(system: &System, service: &str) -> Result<i64> {
    let standby = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
    configure(system, standby.to_owned()).await?;
    let cut = cut_waiting(system, &format!("{service}_db")).await;
    for setting in ["synchronous_standby_names", "synchronous_commit"] {
        configure(system, format!("ALTER SYSTEM RESET {setting}")).await?;
    }
    configure(
        system,
        format!("ALTER DATABASE {service}_db RESET synchronous_commit"),
    )
    .await?;
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

async fn configure(system: &System, statement: String) -> Result<()> {
    // Made of our own names alone.
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&system.postgres)
        .await?;
    sqlx::query("SELECT pg_reload_conf()")
        .execute(&system.postgres)
        .await?;
    Ok(())
}
