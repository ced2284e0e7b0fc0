//! The broker is away while people buy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use contracts::OrderId;

use super::Shop;

/// How soon after its return all must be as if it had never been away.
const DRAINED: Duration = Duration::from_secs(30);
/// Orders begun each second. As many as the machine can take would only measure how long it takes to finish them.
const PER_SECOND: usize = 10;

pub(super) async fn away(shop: &Shop<'_>) -> Result<String> {
    let (_, variant) = shop.world.products(1, 100_000).await?.remove(0);
    let away = AtomicBool::new(true);
    let outage = async {
        shop.world.with_stack(|stack| stack.stop("rabbitmq")).await?;
        tokio::time::sleep(shop.sizes.broker_down).await;
        shop.world
            .with_stack(|stack| stack.start_again("rabbitmq"))
            .await?;
        away.store(false, Ordering::SeqCst);
        let back = Instant::now();
        let backlog = backlog(shop).await?;
        Ok::<_, anyhow::Error>((back, backlog))
    };
    let buyers = async {
        let mut orders = Vec::new();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        while away.load(Ordering::SeqCst) {
            second.tick().await;
            orders.extend(shop.orders(vec![vec![variant.as_str()]; PER_SECOND]).await?);
        }
        Ok::<Vec<OrderId>, anyhow::Error>(orders)
    };
    let (outage, orders) = tokio::join!(outage, buyers);
    let ((back, waiting), orders) = (outage?, orders?);
    while backlog(shop).await? > 0 {
        ensure!(
            back.elapsed() < 2 * DRAINED,
            "the backlog is still there after {:?}",
            back.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let drained = back.elapsed();
    let paid = shop.count(&orders, "PAID").await?;
    ensure!(!orders.is_empty(), "no order was accepted");
    ensure!(
        paid == i64::try_from(orders.len())?,
        "{paid} of {} orders were paid",
        orders.len()
    );
    ensure!(drained < DRAINED, "the backlog was gone after {drained:?}");
    shop.audit(&orders, Vec::new(), 0).await?;
    Ok(format!(
        "{:.0} s away, {paid} orders accepted and all paid, backlog of {waiting} gone {:.1} s after",
        shop.sizes.broker_down.as_secs_f64(),
        drained.as_secs_f64()
    ))
}

/// Unpublished events and open orders.
async fn backlog(shop: &Shop<'_>) -> Result<i64> {
    let rest = auditor::Rest::look(&shop.world.books, None).await?;
    Ok(rest.unpublished + rest.unapplied + rest.open_orders)
}
