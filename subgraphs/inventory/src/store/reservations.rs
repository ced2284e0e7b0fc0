//! Reservations and the units they move.
//!
//! Everybody locks in one order, so that nobody deadlocks: first the head of an order, then, last of all, its rows of
//! `stock` by SKU. Stock rows are the hot ones: they are locked, changed and committed without a round trip between.

use chrono::{DateTime, Utc};
use contracts::inventory::ReservationLine;
use contracts::{OrderId, Sku};
use sqlx::PgConnection;

use crate::domain::reservation::{Move, State};
use crate::domain::stock::Units;

/// The head of an order's reservation.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) order_id: OrderId,
    pub(crate) state: State,
    pub(crate) version: i64,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) request_hash: Option<Vec<u8>>,
}

struct HeadRow {
    order_id: uuid::Uuid,
    state: String,
    version: i64,
    expires_at: Option<DateTime<Utc>>,
    request_hash: Option<Vec<u8>>,
}

impl TryFrom<HeadRow> for Head {
    type Error = sqlx::Error;

    fn try_from(row: HeadRow) -> Result<Self, sqlx::Error> {
        let state = State::parse(&row.state)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown reservation state {}", row.state).into()))?;
        Ok(Self {
            order_id: OrderId::from_uuid(row.order_id),
            state,
            version: row.version,
            expires_at: row.expires_at,
            request_hash: row.request_hash,
        })
    }
}

/// Writes head, lines and ledger of a new hold; `None` when the order has a head already (after waiting for whoever is
/// writing it). Moves no units yet.
pub(crate) async fn insert_held(
    conn: &mut PgConnection,
    order_id: OrderId,
    request_hash: &[u8],
    ttl_s: f64,
    lines: &[ReservationLine],
) -> Result<Option<Head>, sqlx::Error> {
    let skus: Vec<Sku> = lines.iter().map(|line| line.sku.clone()).collect();
    let quantities: Vec<i32> = lines.iter().map(|line| line.quantity.cast_signed()).collect();
    let expires_at = sqlx::query_scalar!(
        r#"WITH head AS (
               INSERT INTO reservation_head (order_id, state, request_hash, expires_at)
               VALUES ($1, 'HELD', $2, clock_timestamp() + make_interval(secs => $3))
               ON CONFLICT (order_id) DO NOTHING
               RETURNING order_id, expires_at
           ), line AS (
               INSERT INTO reservation (order_id, sku, qty, state, expires_at)
               SELECT head.order_id, wanted.sku, wanted.qty, 'HELD', head.expires_at
               FROM head CROSS JOIN unnest($4::text[], $5::int[]) AS wanted (sku, qty)
               RETURNING order_id, sku, qty
           ), ledger AS (
               INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt)
               SELECT sku, 'HOLD', qty, order_id, 1 FROM line
           )
           SELECT expires_at AS "expires_at!" FROM head"#,
        order_id.uuid(),
        request_hash,
        ttl_s,
        &skus,
        &quantities,
    )
    .fetch_optional(conn)
    .await?;
    Ok(expires_at.map(|expires_at| Head {
        order_id,
        state: State::Held,
        version: 1,
        expires_at: Some(expires_at),
        request_hash: Some(request_hash.to_vec()),
    }))
}

/// Marks an order nobody reserved for as released; false when it has a head already.
pub(crate) async fn insert_tombstone(
    conn: &mut PgConnection,
    order_id: OrderId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO reservation_head (order_id, state) VALUES ($1, 'TOMBSTONE') ON CONFLICT (order_id) DO NOTHING",
        order_id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Reads a head.
pub(crate) async fn find(conn: &mut PgConnection, order_id: OrderId) -> Result<Option<Head>, sqlx::Error> {
    sqlx::query_as!(
        HeadRow,
        "SELECT order_id, state, version, expires_at, request_hash FROM reservation_head WHERE order_id = $1",
        order_id.uuid(),
    )
    .fetch_optional(conn)
    .await?
    .map(Head::try_from)
    .transpose()
}

/// Reads a head and keeps it for this transaction.
pub(crate) async fn lock(conn: &mut PgConnection, order_id: OrderId) -> Result<Option<Head>, sqlx::Error> {
    sqlx::query_as!(
        HeadRow,
        "SELECT order_id, state, version, expires_at, request_hash FROM reservation_head WHERE order_id = $1 FOR UPDATE",
        order_id.uuid(),
    )
    .fetch_optional(conn)
    .await?
    .map(Head::try_from)
    .transpose()
}

/// Takes up to `limit` holds whose time is over by the database's clock, skipping those another process has.
pub(crate) async fn lock_due(conn: &mut PgConnection, limit: i64) -> Result<Vec<OrderId>, sqlx::Error> {
    // The sub-select is evaluated once, so that the partial index can be used.
    let ids = sqlx::query_scalar!(
        "SELECT order_id FROM reservation_head
         WHERE state = 'HELD' AND expires_at <= (SELECT clock_timestamp())
         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED",
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(OrderId::from_uuid).collect())
}

/// Writes a change of state to heads, lines and ledger. Moves no units yet. A hold made anew lasts `ttl_s`.
pub(crate) async fn record(
    conn: &mut PgConnection,
    order_ids: &[OrderId],
    change: &Move,
    ttl_s: Option<f64>,
) -> Result<Vec<Head>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> = order_ids.iter().map(|id| id.uuid()).collect();
    let kinds: Vec<String> = change.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query_as!(
        HeadRow,
        r#"WITH head AS (
               UPDATE reservation_head
               SET state = $2, version = version + 1, attempt = attempt + $3, updated_at = clock_timestamp(),
                   expires_at = coalesce(clock_timestamp() + make_interval(secs => $4::float8), expires_at)
               WHERE order_id = ANY($1)
               RETURNING order_id, state, version, attempt, expires_at, request_hash
           ), line AS (
               UPDATE reservation
               SET state = head.state, version = head.version, expires_at = head.expires_at
               FROM head WHERE reservation.order_id = head.order_id
               RETURNING reservation.order_id, sku, qty - returned AS units, head.attempt
           ), ledger AS (
               INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt)
               SELECT line.sku, moved.kind, line.units, line.order_id, line.attempt
               FROM line CROSS JOIN unnest($5::text[]) AS moved (kind) WHERE line.units > 0
           )
           SELECT order_id, state, version, expires_at, request_hash FROM head"#,
        &ids,
        change.to.as_str(),
        i32::from(change.holds_again),
        ttl_s,
        &kinds,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Head::try_from)
    .collect()
}

/// Moves the units of every line of these orders, without those that came back; answers the SKUs that have too few, after which the transaction must
/// be rolled back. The last statement before the commit.
pub(crate) async fn move_units(
    conn: &mut PgConnection,
    order_ids: &[OrderId],
    units: Units,
) -> Result<Vec<Sku>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> = order_ids.iter().map(|id| id.uuid()).collect();
    // Rows are locked in SKU order by `locked`; each UPDATE then meets a row that is this transaction's own, and
    // READ COMMITTED re-reads its newest version before it tests for enough units.
    sqlx::query_scalar!(
        r#"WITH moving AS (
               SELECT sku, sum(qty - returned)::int AS qty FROM reservation WHERE order_id = ANY($1) GROUP BY sku
           ), locked AS MATERIALIZED (
               SELECT stock.sku, moving.qty FROM stock JOIN moving ON moving.sku = stock.sku
               ORDER BY stock.sku FOR UPDATE OF stock
           ), moved AS (
               UPDATE stock
               SET available = stock.available + locked.qty * $2,
                   reserved = stock.reserved + locked.qty * $3,
                   sold = stock.sold + locked.qty * $4
               FROM locked
               WHERE stock.sku = locked.sku AND stock.available + locked.qty * $2 >= 0
               RETURNING stock.sku
           )
           SELECT moving.sku FROM moving WHERE NOT EXISTS (SELECT FROM moved WHERE moved.sku = moving.sku)
           ORDER BY moving.sku"#,
        &ids,
        units.0,
        units.1,
        units.2,
    )
    .fetch_all(conn)
    .await
}

/// What a return of an order brought back, by SKU; empty if it is not known.
pub(crate) async fn returned_by(
    conn: &mut PgConnection,
    order_id: OrderId,
    number: i32,
) -> Result<Vec<ReservationLine>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT sku, quantity FROM stock_ledger
         WHERE order_id = $1 AND kind = 'RETURN' AND attempt = $2 ORDER BY sku",
        order_id.uuid(),
        number,
    )
    .fetch_all(conn)
    .await?;
    let line = |(sku, quantity): (Sku, i32)| ReservationLine {
        sku,
        quantity: quantity.cast_unsigned(),
    };
    Ok(rows
        .into_iter()
        .map(|row| line((row.sku, row.quantity)))
        .collect())
}

/// Notes units as returned, in lines and ledger; answers the SKUs of which fewer are sold, after which the transaction
/// must be rolled back. Moves no units yet.
pub(crate) async fn record_return(
    conn: &mut PgConnection,
    order_id: OrderId,
    number: i32,
    lines: &[ReservationLine],
) -> Result<Vec<Sku>, sqlx::Error> {
    let (skus, quantities) = columns(lines);
    sqlx::query_scalar!(
        r#"WITH back AS (
               SELECT sku, quantity FROM unnest($3::text[], $4::int[]) AS back (sku, quantity)
           ), line AS (
               UPDATE reservation SET returned = returned + back.quantity
               FROM back
               WHERE reservation.order_id = $1 AND reservation.sku = back.sku
                 AND reservation.returned + back.quantity <= reservation.qty
               RETURNING reservation.sku, back.quantity
           ), ledger AS (
               INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt)
               SELECT sku, 'RETURN', quantity, $1, $2 FROM line
           )
           SELECT sku AS "sku!" FROM back WHERE NOT EXISTS (SELECT FROM line WHERE line.sku = back.sku) ORDER BY sku"#,
        order_id.uuid(),
        number,
        &skus,
        &quantities,
    )
    .fetch_all(conn)
    .await
}

/// Puts sold units back on the shelf. The last statement before the commit; the table refuses more than were sold.
pub(crate) async fn take_back_units(
    conn: &mut PgConnection,
    lines: &[ReservationLine],
) -> Result<(), sqlx::Error> {
    let (skus, quantities) = columns(lines);
    sqlx::query!(
        "WITH locked AS MATERIALIZED (
             SELECT stock.sku, back.quantity
             FROM stock JOIN unnest($1::text[], $2::int[]) AS back (sku, quantity) ON back.sku = stock.sku
             ORDER BY stock.sku FOR UPDATE OF stock
         )
         UPDATE stock SET available = stock.available + locked.quantity, sold = stock.sold - locked.quantity
         FROM locked WHERE stock.sku = locked.sku",
        &skus,
        &quantities,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn columns(lines: &[ReservationLine]) -> (Vec<Sku>, Vec<i32>) {
    let column = |line: &ReservationLine| (line.sku.clone(), line.quantity.cast_signed());
    lines.iter().map(column).unzip()
}
