//! Killing what carries an order. Every order must still end, and the books must balance.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::StreamExt;

use crate::Case;
use crate::world::{World, eventually};

pub(crate) const CASES: &[Case] = &[
    ("killing order under load loses nothing", order),
    ("killing inventory under load loses nothing", inventory),
    ("killing payment under load loses nothing", payment),
    ("killing product, cart or auth costs no order", others),
    ("the books balance at the end", audit),
];

/// Orders 30 times while `victim` is killed and started again, and waits until each is final.
fn under_load(world: &World, victims: &[&str]) -> Result<()> {
    let (ada, variant) = world
        .runtime
        .block_on(async { anyhow::Ok((world.customer().await?, world.product(60).await?)) })?;
    let load = {
        let ada = ada.clone();
        let variant_id = variant.id.clone();
        world.runtime.spawn(async move {
            futures::stream::iter(0..30)
                .map(|number| {
                    let (ada, variant_id) = (ada.clone(), variant_id.clone());
                    async move { ada.buy_stubbornly(&variant_id, number).await }
                })
                .buffer_unordered(4)
                .collect::<Vec<_>>()
                .await
        })
    };
    for victim in victims {
        std::thread::sleep(Duration::from_millis(400));
        world.stack.kill(victim)?;
        std::thread::sleep(Duration::from_millis(300));
        world.stack.start_again(victim)?;
    }
    let orders = world
        .runtime
        .block_on(load)?
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let mut paid = 0;
    for order in &orders {
        world.runtime.block_on(eventually(
            Duration::from_mins(1),
            "the order is final",
            || async { Ok(ada.order(order).await?["isFinal"] == true) },
        ))?;
        let order = world.runtime.block_on(ada.order(order))?;
        ensure!(order["status"] == "PAID", "{order}");
        paid += 1;
    }
    ensure!(paid == 30);
    let level = world.runtime.block_on(world.stock(&variant))?;
    ensure!(level == [60, 30, 0, 30], "{level:?}");
    Ok(())
}

fn order(world: &World) -> Result<()> {
    under_load(world, &["order", "order-2"])
}

fn inventory(world: &World) -> Result<()> {
    under_load(world, &["inventory"])
}

fn payment(world: &World) -> Result<()> {
    under_load(world, &["payment"])
}

fn others(world: &World) -> Result<()> {
    under_load(world, &["product", "cart", "auth"])
}

fn audit(world: &World) -> Result<()> {
    world.audit()
}
