//! Thousands of holds end in the same second while others check out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use contracts::OrderId;
use contracts::inventory::{ReservationLine, ReservationView, ReserveStock};
use futures::{StreamExt, TryStreamExt, stream};
use service_auth::{ClientLimits, ServiceClient, ServiceKey};
use sqlx::PgPool;

use super::Shop;
use crate::world::lazy_pool;

const SWEPT: Duration = Duration::from_secs(10);
const PRODUCTS: usize = 20;
const AT_ONCE: usize = 32;
/// Until all is set up.
const TTL_S: u32 = 3_600;
const CHECKOUTS: usize = 24;

pub(super) async fn expire(shop: &Shop<'_>) -> Result<String> {
    let count = shop.sizes.holds;
    let products = shop.world.products(PRODUCTS, 100_000).await?;
    hold(shop, &products, count).await?;
    let inventory = lazy_pool(&shop.world.plan.database_url("inventory"))?;
    let skus: Vec<&str> = products.iter().map(|(sku, _)| sku.as_str()).collect();
    let end = "UPDATE reservation_head SET expires_at = clock_timestamp() + interval '1 second'
               WHERE state = 'HELD' AND order_id IN (SELECT order_id FROM reservation WHERE sku = ANY($1))";
    let held = sqlx::query(end)
        .bind(&skus)
        .execute(&inventory)
        .await?
        .rows_affected();
    ensure!(held == count as u64, "{held} of {count} holds");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let variants: Vec<Vec<&str>> = products
        .iter()
        .map(|(_, variant)| vec![variant.as_str()])
        .collect();
    let baskets = variants.iter().cycle().take(CHECKOUTS).cloned().collect();
    let (swept, orders) = tokio::join!(await_swept(&inventory, begun), shop.orders(baskets));
    let (swept, orders) = (swept?, orders?);
    shop.await_final(Duration::from_mins(1)).await?;
    let done = begun.elapsed();
    let paid = shop.count(&orders, "PAID").await?;
    ensure!(
        paid == i64::try_from(CHECKOUTS)?,
        "{paid} of {CHECKOUTS} checkouts were paid"
    );
    ensure!(swept < SWEPT, "the holds were gone after {swept:?}");
    // Nobody placed the orders of these holds: the events of their end wait for them, each a small poison.
    let told: i64 =
        sqlx::query_scalar("SELECT count(*) FROM outbox WHERE routing_key = 'reservation.expired.v1'")
            .fetch_one(&inventory)
            .await?;
    ensure!(told == i64::try_from(count)?, "{told} holds were announced");
    Ok(format!(
        "{count} holds gone in {:.1} s, each announced once; {paid} checkouts meanwhile, all paid {:.1} s after",
        swept.as_secs_f64(),
        done.as_secs_f64()
    ))
}

/// Holds one unit for each of so many orders, by inventory's own door.
async fn hold(shop: &Shop<'_>, products: &[(String, String)], count: usize) -> Result<()> {
    let plan = &shop.world.plan;
    let key = ServiceKey::from_pem_file("order", plan.folder.join("keys/private/order.pem"))?;
    let base = format!("http://127.0.0.1:{}", plan.ports_of("inventory")?.internal);
    let limits = ClientLimits {
        timeout: Duration::from_secs(10),
        ..ClientLimits::default()
    };
    let inventory = ServiceClient::new("inventory", base.parse()?, Arc::new(key), limits);
    let holds = (0..count).map(|number| {
        let inventory = inventory.clone();
        let sku = &products[number % products.len()].0;
        async move {
            let sku = sku.parse().ok().context("a SKU")?;
            let lines = vec![ReservationLine { sku, quantity: 1 }];
            let path = format!("/reservations/{}", OrderId::generate());
            let body = ReserveStock { lines, ttl_s: TTL_S };
            inventory.put::<_, ReservationView>(&path, &body).await?;
            anyhow::Ok(())
        }
    });
    stream::iter(holds)
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

async fn await_swept(inventory: &PgPool, begun: Instant) -> Result<Duration> {
    loop {
        let held = sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM reservation_head WHERE state = 'HELD' AND expires_at < clock_timestamp()",
        );
        if held.fetch_one(inventory).await? == 0 {
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < 6 * SWEPT, "the holds are still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
