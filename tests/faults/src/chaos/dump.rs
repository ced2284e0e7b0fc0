//! All that is known of the orders a failed check names: rows of every database, and what the logs say.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use contracts::OrderId;
use sqlx::PgPool;

use super::Campaign;
use super::checks::Check;
use crate::world::World;

/// More would not be read.
const MOST: usize = 12;
const LOG_LINES: usize = 60;

const ORDER: &[(&str, &str)] = &[
    ("order", "SELECT row_to_json(t)::text FROM orders t WHERE id = $1"),
    (
        "saga",
        "SELECT row_to_json(t)::text FROM saga t WHERE order_id = $1",
    ),
    (
        "steps",
        "SELECT row_to_json(t)::text FROM saga_step t WHERE order_id = $1 ORDER BY started_at",
    ),
    (
        "history",
        "SELECT row_to_json(t)::text FROM order_history t WHERE order_id = $1 ORDER BY version",
    ),
    (
        "returns",
        "SELECT row_to_json(t)::text FROM order_return t WHERE order_id = $1 ORDER BY number",
    ),
];
const INVENTORY: &[(&str, &str)] = &[
    (
        "reservation head",
        "SELECT row_to_json(t)::text FROM reservation_head t WHERE order_id = $1",
    ),
    (
        "reservation",
        "SELECT row_to_json(t)::text FROM reservation t WHERE order_id = $1",
    ),
];
const PAYMENT: &[(&str, &str)] = &[
    (
        "payment",
        "SELECT row_to_json(t)::text FROM payment t WHERE order_id = $1",
    ),
    (
        "refund",
        "SELECT row_to_json(t)::text FROM refund t WHERE payment_id IN (SELECT id FROM payment WHERE order_id = $1)",
    ),
];
const OUTBOX: &str = "SELECT row_to_json(t)::text FROM outbox t WHERE aggregate_id = $1 ORDER BY created_at";
const INBOX: &str = "SELECT row_to_json(t)::text FROM inbox t WHERE aggregate_id = $1 ORDER BY received_at";

/// What is known of the orders that failed checks name, or else of those that are still open.
pub(super) async fn orders(world: &World, campaign: &Campaign, checks: &[Check]) -> Result<String> {
    let faults = checks.iter().filter_map(|check| check.fault.as_deref());
    let mut named: BTreeSet<OrderId> = faults.flat_map(ids).collect();
    let open = sqlx::query_scalar("SELECT id FROM orders WHERE terminal_at IS NULL ORDER BY id LIMIT 12");
    let open: Vec<uuid::Uuid> = open.fetch_all(&world.books.order).await?;
    named.extend(open.into_iter().map(OrderId::from_uuid));
    let mut text = format!("seed {}\n", campaign.seed);
    for check in checks.iter().filter(|check| check.fault.is_some()) {
        writeln!(
            text,
            "{}: {}",
            check.what,
            check.fault.as_deref().unwrap_or_default()
        )?;
    }
    for order in named.into_iter().take(MOST) {
        write_order(&mut text, world, order).await?;
    }
    Ok(text)
}

fn ids(text: &str) -> impl Iterator<Item = OrderId> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter_map(|word| word.parse().ok())
}

async fn write_order(text: &mut String, world: &World, order: OrderId) -> Result<()> {
    writeln!(text, "\n=== {order}")?;
    let books = &world.books;
    for (pool, tables) in [
        (&books.order, ORDER),
        (&books.inventory, INVENTORY),
        (&books.payment, PAYMENT),
    ] {
        for (name, sql) in tables {
            let rows: Vec<String> = sqlx::query_scalar(*sql)
                .bind(order.uuid())
                .fetch_all(pool)
                .await?;
            write_rows(text, name, &rows)?;
        }
    }
    for (name, pool) in [
        ("order", &books.order),
        ("inventory", &books.inventory),
        ("payment", &books.payment),
    ] {
        write_rows(
            text,
            &format!("{name} outbox"),
            &messages(pool, OUTBOX, order).await?,
        )?;
    }
    write_rows(text, "order inbox", &messages(&books.order, INBOX, order).await?)?;
    write_logs(text, &world.plan.folder.join("logs"), order)
}

async fn messages(pool: &PgPool, sql: &'static str, order: OrderId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(sql)
        .bind(order.to_string())
        .fetch_all(pool)
        .await?)
}

fn write_rows(text: &mut String, name: &str, rows: &[String]) -> Result<()> {
    for row in rows {
        writeln!(text, "{name}: {row}")?;
    }
    Ok(())
}

fn write_logs(text: &mut String, folder: &Path, order: OrderId) -> Result<()> {
    let (id, uuid) = (order.to_string(), order.uuid().to_string());
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let log = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = log
            .lines()
            .filter(|line| line.contains(&id) || line.contains(&uuid));
        for line in lines.take(LOG_LINES) {
            writeln!(text, "{}: {line}", path.file_name().unwrap_or_default().display())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_orders_a_sentence_names() {
        let order = OrderId::generate();
        let text = format!("{order}: CANCELLED, but units are held; {order}");
        assert_eq!(ids(&text).collect::<Vec<_>>(), [order, order]);
    }
}
