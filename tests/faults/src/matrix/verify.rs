//! What must be true when a row is over: every order in its state, stock and money exact, the books audited.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use auditor::Expectations;
use sqlx::Row;

use super::load::Placed;
use super::system::{DEADLINE_S, System, Variant, eventually};

/// States an order rests in.
const FINAL: [&str; 3] = ["PAID", "CANCELLED", "REFUNDED"];
/// How long the system may take from the last order's end until nothing is under way.
const REST: Duration = Duration::from_secs(45);

/// How many orders ended in which state.
pub(crate) type Ends = BTreeMap<String, usize>;

/// Waits until each order is where it belongs.
pub(crate) async fn all_final(system: &System, placed: &[Placed], patience: Duration) -> Result<()> {
    for order in placed {
        let belongs = |status: &str| order.end.map_or(FINAL.contains(&status), |end| end == status);
        let ask = || async {
            let status = system.status(order.order).await?;
            ensure!(belongs(&status), "it is {status}");
            Ok(true)
        };
        let what = format!("{} is {}", order.order, order.end.unwrap_or("final"));
        eventually(patience, &what, ask).await?;
    }
    Ok(())
}

/// Checks the row's own orders exactly, then all books.
pub(crate) async fn all_exact(system: &System, variant: &Variant, placed: &[Placed]) -> Result<Ends> {
    let rest = auditor::wait_for_rest(&system.books, None, REST).await?;
    ensure!(
        rest.is_quiet(),
        "not at rest after {} s: {rest:?}",
        REST.as_secs()
    );
    let mut ends = Ends::new();
    let mut sold = 0;
    for order in placed {
        let status = system.status(order.order).await?;
        ensure!(
            order.end.is_none_or(|end| end == status),
            "{} came to rest as {} and is {status} now",
            order.order,
            order.end.unwrap_or_default()
        );
        let (units_back, _) = system.returned(order.order).await?;
        sold += i64::from(status == "PAID") - units_back;
        *ends.entry(status).or_default() += 1;
    }
    stock(system, variant, sold).await?;
    money(system, placed).await?;
    audit(system, placed).await?;
    Ok(ends)
}

async fn stock(system: &System, variant: &Variant, sold: i64) -> Result<()> {
    let row = sqlx::query(
        "SELECT received::bigint, available::bigint, reserved::bigint, sold::bigint FROM stock WHERE sku = $1",
    )
    .bind(&variant.sku)
    .fetch_one(&system.books.inventory)
    .await?;
    let found: [i64; 4] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
    let right = [variant.units, variant.units - sold, 0, sold];
    ensure!(
        found == right,
        "stock is {found:?} and should be {right:?} (received, available, reserved, sold)"
    );
    Ok(())
}

/// The provider's own books: a paid order's total once, less what was returned; nothing of any other.
async fn money(system: &System, placed: &[Placed]) -> Result<()> {
    let charges = system.charges().await?;
    for order in placed {
        let id = order.order.to_string();
        let total: i64 = sqlx::query_scalar("SELECT total_minor FROM orders WHERE id = $1")
            .bind(order.order.uuid())
            .fetch_one(&system.books.order)
            .await?;
        let sum = |what: &str| -> i64 {
            let mine = charges.iter().filter(|charge| charge["order_id"] == id.as_str());
            mine.map(|charge| charge[what].as_i64().unwrap_or_default()).sum()
        };
        let (captured, refunded) = (sum("captured_minor"), sum("refunded_minor"));
        let right = match system.status(order.order).await?.as_str() {
            "PAID" => (total, system.returned(order.order).await?.1),
            "REFUNDED" => (total, total),
            _ => (0, 0),
        };
        ensure!(
            (captured, refunded) == right,
            "the provider took {captured} for {id} and gave {refunded} back, it should be {right:?}"
        );
    }
    Ok(())
}

async fn audit(system: &System, placed: &[Placed]) -> Result<()> {
    let expected = Expectations {
        margin_s: f64::from(DEADLINE_S),
        idle_s: 5.0,
        acknowledged: placed.iter().map(|order| order.order).collect(),
        logs: Some(system.logs()),
        ..Expectations::default()
    };
    let report = auditor::audit(&system.books, &expected)
        .await
        .context("the audit")?;
    let broken = report
        .findings
        .iter()
        .filter(|finding| finding.holds == Some(false));
    let told: Vec<String> = broken
        .map(|finding| {
            let first = finding.notes.first().map_or("", String::as_str);
            format!("{} ({}; {} in all)", finding.id, first, finding.violations)
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    bail!("the audit finds {}", told.join(", "))
}
