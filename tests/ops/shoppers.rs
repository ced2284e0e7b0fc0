//! People who buy while operators work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::client::Graph;
use crate::world::{Variant, World, eventually};

/// How long an order may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Some shoppers, each of whom buys one thing after another until they are sent home.
pub(crate) struct Shoppers {
    home: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Result<Vec<Bought>>>>,
}

/// An accepted order.
pub(crate) struct Bought {
    pub(crate) order: String,
    /// From the first request to its acceptance, repeats included.
    pub(crate) took: Duration,
}

impl Shoppers {
    pub(crate) fn enter(world: &World, ada: &Graph, variant: &Variant, count: u32) -> Self {
        let home = Arc::new(AtomicBool::new(false));
        let task = |shopper: u32| {
            let (ada, variant, home) = (ada.clone(), variant.id.clone(), Arc::clone(&home));
            world.runtime.spawn(async move {
                let mut bought = Vec::new();
                while !home.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let order = ada.buy_stubbornly(&variant, shopper).await?;
                    let took = begun.elapsed();
                    bought.push(Bought { order, took });
                    tokio::time::sleep(Duration::from_millis(400)).await;
                }
                Ok(bought)
            })
        };
        Self {
            tasks: (0..count).map(task).collect(),
            home,
        }
    }

    /// Everything they bought; each must have been accepted.
    pub(crate) fn leave(self, world: &World) -> Result<Vec<Bought>> {
        self.home.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for task in self.tasks {
            all.extend(world.runtime.block_on(task)??);
        }
        ensure!(!all.is_empty(), "nobody bought anything");
        Ok(all)
    }
}

/// An order, once it has ended.
pub(crate) fn ended(world: &World, ada: &Graph, order: &str) -> Result<Value> {
    world.runtime.block_on(async {
        eventually(PATIENCE, "the order is final", || async {
            Ok(ada.order(order).await?["isFinal"] == true)
        })
        .await?;
        ada.order(order).await
    })
}

pub(crate) fn must_be_paid(world: &World, ada: &Graph, order: &str) -> Result<()> {
    let order = ended(world, ada, order)?;
    ensure!(order["status"] == "PAID", "{order}");
    Ok(())
}
