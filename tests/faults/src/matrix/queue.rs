//! Takes a queue away from under a publisher.

use std::time::Duration;

use anyhow::Result;

use super::load::Placed;
use super::system::{System, eventually};
use crate::world::rabbitmqctl;

/// Slow payments take 15 s here, so that none is captured before the queue has gone.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits until its consumer has declared a queue, which may be a moment after the consumer is ready.
pub(super) async fn wait_for(system: &System, queue: &str) -> Result<()> {
    eventually(PATIENCE, &format!("there is a queue {queue}"), || async {
        let names = rabbitmqctl(&system.stack.plan(), &["list_queues", "--quiet", "name"]).await?;
        Ok(names.lines().any(|name| name == queue))
    })
    .await
}

/// Deletes a queue with its bindings, as if its consumer had never been there.
pub(super) async fn delete(system: &System, queue: &str) -> Result<()> {
    rabbitmqctl(&system.stack.plan(), &["delete_queue", queue])
        .await
        .map(drop)
}

/// Waits until payment has tried to publish the capture of each order; answers how many.
pub(super) async fn wait_for_tries(system: &System, placed: &[Placed]) -> Result<i64> {
    let orders: Vec<_> = placed.iter().map(|order| order.order.to_string()).collect();
    let tried = || async {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM outbox
             WHERE aggregate_id = ANY($1) AND routing_key = 'payment.succeeded.v1' AND attempts > 0",
        )
        .bind(&orders)
        .fetch_one(&system.books.payment)
        .await?;
        Ok::<_, anyhow::Error>(count)
    };
    let all = i64::try_from(orders.len())?;
    eventually(PATIENCE, "every capture was to be published", || async {
        Ok(tried().await? >= all)
    })
    .await?;
    tried().await
}
