//! Events that an inbox gave up.

use anyhow::{Context, Result, bail, ensure};
use contracts::EventId;
use event_bus::{DeadMessage, dead_by_consumer, list_dead, replay_dead, republish as publish_again};
use sqlx::PgPool;

use crate::text::section;

const SHOWN: i64 = 100;

/// The dead events of a service's database, as a table.
pub async fn show_dead(service: &str, pool: &PgPool) -> Result<String> {
    let dead = list_dead(pool, None, SHOWN).await?;
    let total: i64 = dead_by_consumer(pool).await?.iter().map(|(_, count)| count).sum();
    let mut text = section(
        &format!("Dead events of {service}: {total}"),
        &["queue", "event", "id", "about", "attempts", "received", "error"],
        &dead.iter().map(row).collect::<Vec<_>>(),
    );
    if total > SHOWN {
        text.push_str("  (the oldest are shown)\n");
    }
    Ok(text)
}

fn row(dead: &DeadMessage) -> Vec<String> {
    vec![
        dead.consumer.clone(),
        dead.kind.clone(),
        dead.id.to_string(),
        dead.subject.clone(),
        dead.attempts.to_string(),
        dead.received_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        dead.last_error.clone().unwrap_or_default(),
    ]
}

/// Lets the outboxes of these databases send again what they still have.
pub async fn republish(databases: &[String]) -> Result<String> {
    let mut total = 0;
    for url in databases {
        // Without the address, which has a password in it.
        let pool = PgPool::connect(url).await.context("a database")?;
        total += publish_again(&pool).await?;
        pool.close().await;
    }
    Ok(format!(
        "{total} events of {} databases are sent again",
        databases.len()
    ))
}

/// Gives the named dead events of a service, or all of them, a fresh start; answers how many.
pub async fn replay(pool: &PgPool, only: &[EventId]) -> Result<u64> {
    let consumers = dead_by_consumer(pool).await?;
    if consumers.is_empty() && !only.is_empty() {
        bail!("no event is dead");
    }
    let only = (!only.is_empty()).then_some(only);
    let mut tx = pool.begin().await?;
    let mut replayed = 0;
    for (consumer, _) in &consumers {
        replayed += replay_dead(&mut *tx, consumer, only).await?;
    }
    let wanted = only.map_or(0, <[EventId]>::len) as u64;
    ensure!(
        replayed >= wanted,
        "{} of the {wanted} events are not dead: nothing was replayed",
        wanted - replayed
    );
    tx.commit().await?;
    Ok(replayed)
}
