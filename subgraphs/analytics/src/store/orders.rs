//! What is known of each order.

use std::collections::{BTreeMap, HashMap};

use contracts::{Money, OrderId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::unreadable;
use crate::domain::{Line, Order, Placed, Refund, reason};

/// What is known of these orders; of whom nothing is known is left out.
pub(crate) async fn load(
    tx: &mut PgConnection,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Order>, sqlx::Error> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT order_id, user_id, currency, total_minor, discount_minor, lines AS "lines: Json<Vec<Line>>",
                  placed_at, paid_at, cancelled_at, cancel_reason,
                  refunds AS "refunds: Json<BTreeMap<i64, Refund>>"
           FROM order_fact WHERE order_id = ANY($1)"#,
        &ids
    )
    .fetch_all(tx)
    .await?;
    let mut known = HashMap::new();
    for row in rows {
        let placed = match (
            row.placed_at,
            row.user_id,
            row.currency,
            row.total_minor,
            row.lines,
        ) {
            (Some(at), Some(user), Some(currency), Some(total), Some(Json(lines))) => {
                let placed = Placed {
                    buyer: UserId::from_uuid(user),
                    total: Money::new(total, currency.parse().map_err(unreadable)?),
                    discount_minor: row.discount_minor.unwrap_or_default(),
                    lines,
                };
                Some((at, placed))
            }
            _ => None,
        };
        let why = row.cancel_reason.as_deref().and_then(reason::read);
        let order = Order {
            placed,
            paid: row.paid_at,
            cancelled: row.cancelled_at.map(|at| (at, why)),
            refunds: row.refunds.0,
        };
        known.insert(OrderId::from_uuid(row.order_id), order);
    }
    Ok(known)
}

/// Orders as columns.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    users: Vec<Option<Uuid>>,
    currencies: Vec<Option<String>>,
    totals: Vec<Option<i64>>,
    discounts: Vec<Option<i64>>,
    lines: Vec<Option<serde_json::Value>>,
    placed: Vec<Option<chrono::DateTime<chrono::Utc>>>,
    paid: Vec<Option<chrono::DateTime<chrono::Utc>>>,
    cancelled: Vec<Option<chrono::DateTime<chrono::Utc>>>,
    reasons: Vec<Option<String>>,
    refunds: Vec<serde_json::Value>,
}

impl Columns {
    fn add(&mut self, id: OrderId, order: &Order) -> Result<(), serde_json::Error> {
        let placed = order.placed.as_ref().map(|(_, placed)| placed);
        let lines = placed.map(|placed| serde_json::to_value(&placed.lines));
        let why = order.cancelled.and_then(|(_, why)| why);
        self.ids.push(id.uuid());
        self.users.push(placed.map(|placed| placed.buyer.uuid()));
        self.currencies
            .push(placed.map(|placed| placed.total.currency.to_string()));
        self.totals.push(placed.map(|placed| placed.total.amount_minor));
        self.discounts.push(placed.map(|placed| placed.discount_minor));
        self.lines.push(lines.transpose()?);
        self.placed.push(order.placed.as_ref().map(|(at, _)| *at));
        self.paid.push(order.paid);
        self.cancelled.push(order.cancelled.map(|(at, _)| at));
        self.reasons.push(why.map(|why| reason::text(why).to_owned()));
        self.refunds.push(serde_json::to_value(&order.refunds)?);
        Ok(())
    }
}

/// Keeps what is known of orders.
pub(crate) async fn save(tx: &mut PgConnection, orders: &[(OrderId, Order)]) -> Result<(), sqlx::Error> {
    let mut columns = Columns::default();
    for (id, order) in orders {
        columns.add(*id, order).map_err(unreadable)?;
    }
    sqlx::query!(
        "INSERT INTO order_fact (order_id, user_id, currency, total_minor, discount_minor, lines, placed_at, paid_at,
             cancelled_at, cancel_reason, refunds)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::jsonb[],
             $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::jsonb[])
         ON CONFLICT (order_id) DO UPDATE SET user_id = excluded.user_id, currency = excluded.currency,
             total_minor = excluded.total_minor, discount_minor = excluded.discount_minor, lines = excluded.lines,
             placed_at = excluded.placed_at, paid_at = excluded.paid_at, cancelled_at = excluded.cancelled_at,
             cancel_reason = excluded.cancel_reason, refunds = excluded.refunds",
        &columns.ids,
        &columns.users as &[Option<Uuid>],
        &columns.currencies as &[Option<String>],
        &columns.totals as &[Option<i64>],
        &columns.discounts as &[Option<i64>],
        &columns.lines as &[Option<serde_json::Value>],
        &columns.placed as &[Option<chrono::DateTime<chrono::Utc>>],
        &columns.paid as &[Option<chrono::DateTime<chrono::Utc>>],
        &columns.cancelled as &[Option<chrono::DateTime<chrono::Utc>>],
        &columns.reasons as &[Option<String>],
        &columns.refunds
    )
    .execute(tx)
    .await?;
    Ok(())
}
