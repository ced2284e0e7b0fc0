//! Orders as they are shown: each function one statement, for as many orders as are asked for.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::order::OrderStatus;
use contracts::{Money, OrderId, ProductId, UserId, VariantId};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::text::Stored;
use super::unreadable;
use crate::domain::order::{Event, Find, ListFilter};
use crate::domain::{Discount, Line, Order, OrderNumber};

struct OrderRow {
    id: Uuid,
    number: i64,
    user_id: Uuid,
    status: String,
    version: i64,
    currency: String,
    total_minor: i64,
    coupon_code: Option<String>,
    discount_minor: i64,
    returned_minor: i64,
    reason: Option<String>,
    created_at: DateTime<Utc>,
}

impl OrderRow {
    fn into_order(self) -> Result<Order, sqlx::Error> {
        let currency = self.currency.parse().map_err(unreadable)?;
        let discount = match self.coupon_code {
            Some(code) => Some(Discount {
                code: code.parse().map_err(unreadable)?,
                amount: Money::new(self.discount_minor, currency),
            }),
            None => None,
        };
        Ok(Order {
            id: OrderId::from_uuid(self.id),
            number: OrderNumber(self.number),
            user_id: UserId::from_uuid(self.user_id),
            state: self.status.parse().map_err(unreadable)?,
            version: self.version,
            total: Money::new(self.total_minor, currency),
            discount,
            returned: Money::new(self.returned_minor, currency),
            cancel_reason: Stored::read_opt(self.reason.as_deref())?,
            placed_at: self.created_at,
        })
    }
}

/// Orders by id; unknown ones are left out.
pub(crate) async fn by_ids(db: impl PgExecutor<'_>, ids: &[OrderId]) -> Result<Vec<Order>, sqlx::Error> {
    sqlx::query_as!(
        OrderRow,
        "SELECT id, number, user_id, status, version, currency, total_minor, coupon_code, discount_minor,
                returned_minor, reason, created_at
         FROM orders WHERE id = ANY($1)",
        &uuids(ids)
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(OrderRow::into_order)
    .collect()
}

/// The newest orders of each user, after `after`.
pub(crate) async fn of_users(
    db: impl PgExecutor<'_>,
    users: &[UserId],
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Order>, sqlx::Error> {
    let users: Vec<_> = users.iter().map(|user| user.uuid()).collect();
    sqlx::query_as!(
        OrderRow,
        "SELECT o.id, number, o.user_id, status, version, currency, total_minor, coupon_code, discount_minor,
                returned_minor, reason, created_at
         FROM unnest($1::uuid[]) AS buyer (user_id)
         CROSS JOIN LATERAL (
             SELECT * FROM orders
             WHERE orders.user_id = buyer.user_id AND ($2::uuid IS NULL OR orders.id < $2)
             ORDER BY id DESC LIMIT $3
         ) AS o ORDER BY o.id DESC",
        &users,
        after.map(OrderId::uuid),
        limit
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(OrderRow::into_order)
    .collect()
}

/// The newest orders that a filter lets through, after `after`.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    filter: &ListFilter,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Order>, sqlx::Error> {
    let statuses = filter
        .statuses
        .as_ref()
        .map(|statuses| statuses.iter().map(|status| status.text()).collect::<Vec<_>>());
    let (mut order, mut number, mut user, mut words) = (None, None, filter.user, None);
    match &filter.find {
        Some(Find::Order(id)) => order = Some(*id),
        Some(Find::Number(n)) => number = Some(*n),
        // Of two buyers there is no order.
        Some(Find::User(buyer)) if user.is_some_and(|user| user != *buyer) => return Ok(Vec::new()),
        Some(Find::User(buyer)) => user = Some(*buyer),
        Some(Find::Words(list)) => words = Some(beginnings(list)),
        None => {}
    }
    sqlx::query_as!(
        OrderRow,
        "SELECT id, number, user_id, status, version, currency, total_minor, coupon_code, discount_minor,
                returned_minor, reason, created_at
         FROM orders o
         WHERE ($1::text[] IS NULL OR public_status = ANY($1))
           AND ($2::uuid IS NULL OR user_id = $2)
           AND ($3::boolean IS NULL OR $3 = (
               EXISTS (SELECT FROM saga s WHERE s.order_id = o.id AND s.attention IS NOT NULL)
               OR EXISTS (SELECT FROM order_return r WHERE r.order_id = o.id AND r.needs_attention)))
           AND ($4::uuid IS NULL OR id < $4)
           AND ($6::uuid IS NULL OR id = $6)
           AND ($7::bigint IS NULL OR number = $7)
           AND ($8::text IS NULL OR id IN (
               SELECT order_id FROM order_line WHERE order_words(sku, name) @@ to_tsquery('simple', $8)))
           AND ($9::timestamptz IS NULL OR created_at >= $9 AND id >= $10)
           AND ($11::timestamptz IS NULL OR created_at < $11 AND id <= $12)
         ORDER BY id DESC LIMIT $5",
        statuses as _,
        user.map(UserId::uuid),
        filter.needs_attention,
        after.map(OrderId::uuid),
        limit,
        order.map(OrderId::uuid),
        number,
        words,
        filter.placed_from,
        filter
            .placed_from
            .map(|from| placed_at(from.checked_sub_signed(SLACK).unwrap_or(from))),
        filter.placed_before,
        filter
            .placed_before
            .map(|before| placed_at(before.checked_add_signed(SLACK).unwrap_or(before)))
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(OrderRow::into_order)
    .collect()
}

/// The lines of orders, in order.
pub(crate) async fn lines_of(
    db: impl PgExecutor<'_>,
    ids: &[OrderId],
) -> Result<Vec<(OrderId, Line)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT order_id, line_no, variant_id, product_id, sku, name, unit_price_minor, quantity, returned, currency
         FROM order_line JOIN orders ON orders.id = order_id
         WHERE order_id = ANY($1) ORDER BY order_id, line_no",
        &uuids(ids)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let line = Line {
                line_no: row.line_no,
                variant_id: VariantId::from_uuid(row.variant_id),
                product_id: ProductId::from_uuid(row.product_id),
                sku: row.sku,
                title: row.name,
                unit_price: Money::new(row.unit_price_minor, row.currency.parse().map_err(unreadable)?),
                quantity: u32::try_from(row.quantity).map_err(unreadable)?,
                returned: u32::try_from(row.returned).map_err(unreadable)?,
            };
            Ok((OrderId::from_uuid(row.order_id), line))
        })
        .collect()
}

/// A step of one of many orders.
struct StepRow {
    order_id: Uuid,
    version: i64,
    step: String,
    public_status: String,
    at: DateTime<Utc>,
}

impl StepRow {
    fn read(self) -> Result<(OrderId, Event), sqlx::Error> {
        let event = event(self.version, &self.step, &self.public_status, self.at)?;
        Ok((OrderId::from_uuid(self.order_id), event))
    }
}

/// The histories of orders, oldest step first.
pub(crate) async fn histories_of(
    db: impl PgExecutor<'_>,
    ids: &[OrderId],
) -> Result<Vec<(OrderId, Event)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        StepRow,
        "SELECT order_id, version, step, public_status, at FROM order_history
         WHERE order_id = ANY($1) ORDER BY order_id, version",
        &uuids(ids)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(StepRow::read).collect()
}

/// Where a reading of all orders' steps has come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    /// Of the last step read.
    at: DateTime<Utc>,
    order: OrderId,
    sequence: i64,
}

impl Mark {
    /// Before all steps of a moment.
    pub(crate) const fn before(at: DateTime<Utc>) -> Self {
        Self {
            at,
            order: OrderId::from_uuid(Uuid::nil()),
            sequence: 0,
        }
    }

    /// At a step.
    pub(crate) const fn of(order: OrderId, event: &Event) -> Self {
        Self {
            at: event.at,
            order,
            sequence: event.sequence,
        }
    }
}

/// The next steps of all orders after a mark, by time; those of one order are in their order.
pub(crate) async fn steps_after(
    db: impl PgExecutor<'_>,
    mark: Mark,
    limit: i64,
) -> Result<Vec<(OrderId, Event)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        StepRow,
        "SELECT order_id, version, step, public_status, at FROM order_history
         WHERE at >= $1 AND (at, order_id, version) > ($1, $2, $3)
         ORDER BY at, order_id, version LIMIT $4",
        mark.at,
        mark.order.uuid(),
        mark.sequence,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(StepRow::read).collect()
}

/// An order's steps after `sequence`, and whether the order is final after the last of all its steps.
pub(crate) async fn history_after(
    db: impl PgExecutor<'_>,
    order: OrderId,
    sequence: i64,
) -> Result<(Vec<Event>, bool), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT o.terminal_at IS NOT NULL AS "is_final!", h.version AS "version?", h.step AS "step?",
                  h.public_status AS "status?", h.at AS "at?"
           FROM orders o LEFT JOIN order_history h ON h.order_id = o.id AND h.version > $2
           WHERE o.id = $1 ORDER BY h.version"#,
        order.uuid(),
        sequence
    )
    .fetch_all(db)
    .await?;
    let is_final = rows.first().is_some_and(|row| row.is_final);
    let events = rows
        .into_iter()
        .filter_map(|row| Some((row.version?, row.step?, row.status?, row.at?)))
        .map(|(version, step, status, at)| event(version, &step, &status, at))
        .collect::<Result<_, _>>()?;
    Ok((events, is_final))
}

fn event(sequence: i64, step: &str, status: &str, at: DateTime<Utc>) -> Result<Event, sqlx::Error> {
    Ok(Event {
        sequence,
        step: Stored::read(step)?,
        status: OrderStatus::read(status)?,
        at,
    })
}

/// Between an order's moment and its id's, which tells the time too and leads to the index: both are of one process.
const SLACK: TimeDelta = TimeDelta::minutes(1);

/// The least id of an order placed at a moment.
fn placed_at(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// A search for lines with words that begin so. Words hold no letter that means anything in it.
fn beginnings(words: &[String]) -> String {
    let word = |word: &String| format!("'{word}':*");
    words.iter().map(word).collect::<Vec<_>>().join(" & ")
}

fn uuids(ids: &[OrderId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}
