//! Reads levels, movements and reservations.

use std::collections::HashMap;

use contracts::inventory::ReservationView;
use contracts::{OrderId, Sku};
use sqlx::PgPool;

use super::Error;
use super::transaction::view;
use crate::domain::Refusal;
use crate::domain::stock::{Level, Movement, is_sku};
use crate::store::{reservations, stock};

/// Levels of the SKUs that are known, in one statement.
pub(crate) async fn levels(pool: &PgPool, skus: &[Sku]) -> Result<HashMap<Sku, Level>, Error> {
    let plausible: Vec<Sku> = skus.iter().filter(|sku| is_sku(sku)).cloned().collect();
    let mut conn = pool.acquire().await?;
    Ok(stock::levels(&mut conn, &plausible).await?.into_iter().collect())
}

/// The newest movements of a SKU, older than the one with id `before`.
pub(crate) async fn movements(
    pool: &PgPool,
    sku: &str,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Movement>, Error> {
    if !is_sku(sku) {
        return Ok(Vec::new());
    }
    let mut conn = pool.acquire().await?;
    Ok(stock::movements(&mut conn, sku, before, i64::from(limit)).await?)
}

/// The state of an order's reservation.
pub(crate) async fn reservation(pool: &PgPool, order_id: OrderId) -> Result<ReservationView, Error> {
    let mut conn = pool.acquire().await?;
    let head = reservations::find(&mut conn, order_id).await?;
    Ok(view(&head.ok_or(Refusal::Unknown)?))
}
