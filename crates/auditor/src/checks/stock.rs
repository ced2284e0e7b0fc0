//! Units: none appears, none vanishes, none is sold twice.

use anyhow::Result;
use sqlx::{PgPool, Row};

use super::sentences;
use crate::books::{Cross, shown};
use crate::{Expectations, Finding};

/// I1.
pub(super) async fn adds_up(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new(
        "I1",
        "received = available + reserved + sold, none negative, per SKU",
    );
    let row = sqlx::query(
        "SELECT count(*), coalesce(sum(received), 0)::bigint, coalesce(sum(available), 0)::bigint,
                coalesce(sum(reserved), 0)::bigint, coalesce(sum(sold), 0)::bigint FROM stock",
    )
    .fetch_one(pool)
    .await?;
    for (index, name) in ["SKUs", "received", "available", "reserved", "sold"]
        .into_iter()
        .enumerate()
    {
        finding.figure(name, row.try_get(index)?);
    }
    let broken = sentences(
        pool,
        "SELECT format('%s: received %s, available %s, reserved %s, sold %s', sku, received, available, reserved, sold)
         FROM stock WHERE received <> available + reserved + sold OR least(received, available, reserved, sold) < 0",
    );
    finding.violated_by(broken.await?);
    Ok(finding)
}

/// I2.
pub(super) async fn counters_equal_rows(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new("I2", "counters = sums of reservations = sums of the stock ledger");
    finding.figure(
        "movements",
        crate::rest::count(pool, "SELECT count(*) FROM stock_ledger").await?,
    );
    let broken = sentences(
        pool,
        "WITH line AS (
             SELECT sku, sum(qty) FILTER (WHERE state = 'HELD') AS held,
                    sum(qty - returned) FILTER (WHERE state = 'CONFIRMED') AS confirmed
             FROM reservation GROUP BY sku
         ), moved AS (
             SELECT sku,
                    sum(quantity) FILTER (WHERE kind IN ('RECEIVE', 'ADJUST')) AS received,
                    sum(CASE WHEN kind = 'HOLD' THEN quantity
                             WHEN kind IN ('CONFIRM', 'RELEASE', 'EXPIRE') THEN -quantity END) AS reserved,
                    sum(CASE WHEN kind = 'CONFIRM' THEN quantity
                             WHEN kind IN ('RESTOCK', 'RETURN') THEN -quantity END) AS sold
             FROM stock_ledger GROUP BY sku
         )
         SELECT format('%s: stock received %s reserved %s sold %s; reservations reserved %s sold %s; ledger received %s reserved %s sold %s',
             coalesce(stock.sku, line.sku, moved.sku), stock.received, stock.reserved, stock.sold,
             coalesce(line.held, 0), coalesce(line.confirmed, 0),
             coalesce(moved.received, 0), coalesce(moved.reserved, 0), coalesce(moved.sold, 0))
         FROM stock FULL JOIN line USING (sku) FULL JOIN moved USING (sku)
         WHERE stock.received IS DISTINCT FROM coalesce(moved.received, 0)
            OR stock.reserved IS DISTINCT FROM coalesce(line.held, 0)
            OR stock.reserved IS DISTINCT FROM coalesce(moved.reserved, 0)
            OR stock.sold IS DISTINCT FROM coalesce(line.confirmed, 0)
            OR stock.sold IS DISTINCT FROM coalesce(moved.sold, 0)",
    );
    finding.violated_by(broken.await?);
    Ok(finding)
}

/// I3.
pub(super) async fn sold_is_what_was_bought(
    pool: &PgPool,
    cross: &Cross,
    expected: &Expectations,
) -> Result<Finding> {
    let mut finding = Finding::new(
        "I3",
        "units are sold to whom they were sold, no more and no fewer",
    );
    let (mut sold, mut bought) = (0, 0);
    for (id, lines) in &cross.reserved {
        let confirmed: i64 = lines
            .iter()
            .filter(|line| line.state == "CONFIRMED")
            .map(|line| line.units)
            .sum();
        sold += confirmed;
        let status = cross
            .orders
            .get(id)
            .map_or("UNKNOWN", |order| order.status.as_str());
        // A refunded order may keep its units sold: they were not sent back.
        let may = matches!(
            status,
            "CONFIRMING" | "PAID" | "SHIPPED" | "DELIVERED" | "REFUNDING" | "REFUNDED"
        );
        let settled = cross.orders.get(id).is_none_or(|order| !order.fresh);
        if confirmed > 0 && !may && settled {
            finding.violated(format!(
                "{}: {confirmed} units sold to an order that is {status}",
                shown(*id)
            ));
        }
    }
    for order in cross.orders.values().filter(|order| order.is_good()) {
        bought += order.sold(false).values().sum::<i64>();
    }
    finding.figure("sold", sold);
    finding.figure("of paid orders, less what came back", bought);
    for (sku, units) in &expected.sold {
        let actual: Option<i64> = sqlx::query_scalar("SELECT sold::bigint FROM stock WHERE sku = $1")
            .bind(sku)
            .fetch_optional(pool)
            .await?;
        finding.figure(format!("sold of {sku}"), actual.unwrap_or(0));
        if actual != Some(*units) {
            finding.violated(format!(
                "{sku}: {} units sold instead of {units}",
                actual.unwrap_or(0)
            ));
        }
    }
    Ok(finding)
}
