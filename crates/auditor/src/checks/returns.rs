//! Returns: no more than was paid comes back, no more than was bought, and each by the refund and the movement of its own.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::sentences;
use crate::books::shown;
use crate::rest::count;
use crate::{Books, Expectations, Finding};

/// Each a violation in words.
const CHECKS: [&str; 3] = [
    "SELECT format('order %s counts %s returned of %s, its returns sum to %s', id, returned_minor, total_minor, back.minor)
     FROM orders CROSS JOIN LATERAL (
         SELECT coalesce(sum(amount_minor), 0) AS minor FROM order_return WHERE order_id = id) AS back
     WHERE returned_minor <> back.minor OR back.minor > total_minor",
    "SELECT format('order %s, line %s: %s returned of %s, its returns sum to %s', order_id, line_no, returned, quantity,
            back.units)
     FROM order_line CROSS JOIN LATERAL (
         SELECT coalesce(sum(r.quantity), 0) AS units FROM order_return_line r
         WHERE r.order_id = order_line.order_id AND r.line_no = order_line.line_no) AS back
     WHERE returned <> back.units OR back.units > quantity",
    "SELECT format('order %s is %s and has a return', id, status) FROM orders
     WHERE status NOT IN ('PAID', 'SHIPPED', 'DELIVERED', 'REFUNDING', 'REFUNDED')
       AND EXISTS (SELECT FROM order_return WHERE order_id = id)",
];

/// I18.
pub(super) async fn kept_within(books: &Books, expected: &Expectations) -> Result<Finding> {
    let mut finding = Finding::new(
        "I18",
        "returns stay within what was paid and bought, each done once",
    );
    for (name, sql) in [
        ("returns", "SELECT count(*) FROM order_return"),
        ("open", "SELECT count(*) FROM order_return WHERE ended_at IS NULL"),
    ] {
        finding.figure(name, count(&books.order, sql).await?);
    }
    for sql in CHECKS {
        finding.violated_by(sentences(&books.order, sql).await?);
    }
    // Others first: what they have done by then, order has asked for.
    let moved = moved(&books.inventory).await?;
    let refunded = refunded(&books.payment).await?;
    let (money, units) = asked_for(&books.order, expected.grace_s).await?;
    agree("sent back", &refunded, &money, &mut finding);
    agree("on the shelf", &moved, &units, &mut finding);
    Ok(finding)
}

/// An order and the number of a return.
type Key = (Uuid, i32);

/// What a return asks for, and whether that much must be done by now.
struct Asked {
    wanted: String,
    done: bool,
}

fn agree(what: &str, done: &BTreeMap<Key, String>, asked: &BTreeMap<Key, Asked>, finding: &mut Finding) {
    for ((order, number), done) in done {
        match asked.get(&(*order, *number)) {
            None => finding.violated(format!(
                "{}: {done} {what} for a return {number} that nobody asked for",
                shown(*order)
            )),
            Some(asked) if asked.wanted != *done => finding.violated(format!(
                "{}: {done} {what} for return {number}, which asks for {}",
                shown(*order),
                asked.wanted
            )),
            Some(_) => {}
        }
    }
    for ((order, number), asked) in asked {
        if asked.done && !done.contains_key(&(*order, *number)) {
            let wanted = &asked.wanted;
            finding.violated(format!(
                "{}: return {number} is done, but its {wanted} is not {what}",
                shown(*order)
            ));
        }
    }
}

/// Refunds that succeeded by the return whose reason they bear.
async fn refunded(pool: &PgPool) -> Result<BTreeMap<Key, String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT order_id, substring(reason FROM '^return_([0-9]+)')::int, sum(refund.amount_minor)::text
         FROM refund JOIN payment ON payment.id = payment_id
         WHERE refund.status = 'SUCCEEDED' AND reason ~ '^return_[0-9]+' GROUP BY 1, 2",
    )
    .fetch_all(pool)
    .await?;
    by_return(&rows)
}

/// Units that came back by the return that brought them.
async fn moved(pool: &PgPool) -> Result<BTreeMap<Key, String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT order_id, attempt, string_agg(format('%s %s', quantity, sku), ', ' ORDER BY sku COLLATE \"C\")
         FROM stock_ledger WHERE kind = 'RETURN' GROUP BY 1, 2",
    )
    .fetch_all(pool)
    .await?;
    by_return(&rows)
}

fn by_return(rows: &[sqlx::postgres::PgRow]) -> Result<BTreeMap<Key, String>, sqlx::Error> {
    rows.iter()
        .map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)))
        .collect()
}

/// What returns ask for: money, and units for the shelf.
async fn asked_for(
    pool: &PgPool,
    grace_s: f64,
) -> Result<(BTreeMap<Key, Asked>, BTreeMap<Key, Asked>), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT r.order_id, r.number, r.amount_minor::text, shelf.units,
                money = 'DONE' AND settled AS paid, r.units = 'DONE' AND settled AS stocked
         FROM order_return r
         CROSS JOIN LATERAL (SELECT changed_at <= clock_timestamp() - make_interval(secs => $1) AS settled) AS age
         CROSS JOIN LATERAL (
             SELECT string_agg(format('%s %s', l.quantity, sku), ', ' ORDER BY sku COLLATE \"C\") AS units
             FROM order_return_line l JOIN order_line USING (order_id, line_no)
             WHERE l.order_id = r.order_id AND l.number = r.number AND restock) AS shelf",
    )
    .bind(grace_s)
    .fetch_all(pool)
    .await?;
    let (mut money, mut units) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let key = (row.try_get(0)?, row.try_get(1)?);
        let asked = Asked {
            wanted: row.try_get(2)?,
            done: row.try_get(4)?,
        };
        money.insert(key, asked);
        if let Some(wanted) = row.try_get::<Option<String>, _>(3)? {
            let done = row.try_get(5)?;
            units.insert(key, Asked { wanted, done });
        }
    }
    Ok((money, units))
}
