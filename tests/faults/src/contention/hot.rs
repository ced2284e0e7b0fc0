//! The same product, the same products in another order, the same key.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::join_all;
use rand::seq::{IndexedRandom, SliceRandom};

use super::Shop;
use crate::graph::{Ordered, fresh_key};

const PATIENCE: Duration = Duration::from_mins(3);
const LINES: usize = 5;
const PRODUCTS: usize = 20;

/// More buyers than units of one product, of whose payments some are declined.
pub(super) async fn product(shop: &Shop<'_>, declined_percent: u32) -> Result<String> {
    let sizes = shop.sizes;
    let (sku, variant) = shop.world.products(1, sizes.units).await?.remove(0);
    shop.declining(declined_percent).await?;
    let begun = Instant::now();
    let orders = shop.orders(vec![vec![variant.as_str()]; sizes.buyers]).await?;
    shop.await_final(PATIENCE).await?;
    let took = begun.elapsed();
    shop.declining(0).await?;
    let sold = shop.count(&orders, "PAID").await?;
    let declined = declined(shop, &orders).await?;
    ensure!(orders.len() == sizes.buyers, "{} orders", orders.len());
    ensure!(
        sold == i64::from(sizes.units),
        "{sold} of {} units were sold",
        sizes.units
    );
    ensure!(
        (declined_percent > 0) == (declined > 0),
        "{declined} payments were declined"
    );
    shop.audit(&orders, vec![(sku, i64::from(sizes.units))], 0)
        .await?;
    let rate = super::rate(orders.len(), took);
    Ok(format!(
        "{} buyers, {sold} of {} units sold, {declined} payments declined, {rate:.1} orders/s",
        sizes.buyers, sizes.units
    ))
}

async fn declined(shop: &Shop<'_>, orders: &[contracts::OrderId]) -> Result<i64> {
    let ids: Vec<uuid::Uuid> = orders.iter().map(|order| order.uuid()).collect();
    let count =
        sqlx::query_scalar("SELECT count(*) FROM orders WHERE id = ANY($1) AND reason = 'PAYMENT_DECLINED'");
    Ok(count.bind(ids).fetch_one(&shop.world.books.order).await?)
}

/// Baskets of the same products in any order, for a while.
pub(super) async fn crossing(shop: &Shop<'_>) -> Result<String> {
    let products = shop.world.products(PRODUCTS, 100_000).await?;
    let before = shop.deadlocks().await?;
    let begun = Instant::now();
    let mut orders = Vec::new();
    while begun.elapsed() < shop.sizes.crossing {
        let basket = || {
            let mut rng = rand::rng();
            let mut basket: Vec<&str> = products
                .choose_multiple(&mut rng, LINES)
                .map(|(_, variant)| variant.as_str())
                .collect();
            basket.shuffle(&mut rng);
            basket
        };
        let baskets = (0..shop.sizes.at_once).map(|_| basket()).collect();
        orders.extend(shop.orders(baskets).await?);
    }
    shop.await_final(PATIENCE).await?;
    let rate = super::rate(orders.len(), begun.elapsed());
    let deadlocks = shop.deadlocks().await? - before;
    let paid = shop.count(&orders, "PAID").await?;
    ensure!(deadlocks == 0, "{deadlocks} deadlocks");
    ensure!(
        paid == i64::try_from(orders.len())?,
        "{paid} of {} orders were paid",
        orders.len()
    );
    shop.audit(&orders, Vec::new(), 0).await?;
    Ok(format!(
        "{paid} orders of {LINES} lines over {PRODUCTS} products, all paid, 0 deadlocks, {rate:.1} orders/s"
    ))
}

/// The same request many times at once.
pub(super) async fn one_key(shop: &Shop<'_>) -> Result<String> {
    let (_, variant) = shop.world.products(1, 1_000).await?.remove(0);
    let cart = shop.world.graph.create_cart(&[&variant], &fresh_key()).await?;
    let key = fresh_key();
    let count = "SELECT count(*) FROM orders";
    let before: i64 = sqlx::query_scalar(count)
        .fetch_one(&shop.world.books.order)
        .await?;
    let twins = (0..shop.sizes.twins).map(|_| async {
        let begun = Instant::now();
        loop {
            match shop.customer(0).create_order(&cart, "pm_card_visa", &key).await {
                Ok(Ordered::Order(order)) => return Ok(order),
                Ok(Ordered::Refused(code)) => ensure!(code == "IN_PROGRESS", "refused: {code}"),
                Err(fault) => ensure!(begun.elapsed() < PATIENCE, "{fault}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let answers: Vec<Result<String>> = join_all(twins).await;
    let answers: BTreeSet<String> = answers.into_iter().collect::<Result<_>>()?;
    let after: i64 = sqlx::query_scalar(count)
        .fetch_one(&shop.world.books.order)
        .await?;
    ensure!(answers.len() == 1, "different answers: {answers:?}");
    ensure!(after - before == 1, "{} orders", after - before);
    shop.await_final(PATIENCE).await?;
    Ok(format!(
        "{} requests at once, one order, one answer",
        shop.sizes.twins
    ))
}
