//! Takes a queue away from under a publisher.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::load::Placed;
use super::system::{System, blocking, eventually};

/// Slow payments take 15 s here, so that none is captured before the queue has gone.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits until its consumer has declared a queue, which may be a moment after the consumer is ready.
pub(super) async fn wait_for(system: &System, queue: &str) -> Result<()> {
    eventually(PATIENCE, &format!("there is a queue {queue}"), || async {
        let names = rabbitmqctl(system, &["list_queues", "--quiet", "name"])?;
        Ok(names.lines().any(|name| name == queue))
    })
    .await
}

/// Deletes a queue with its bindings, as if its consumer had never been there.
pub(super) fn delete(system: &System, queue: &str) -> Result<()> {
    rabbitmqctl(system, &["delete_queue", queue]).map(drop)
}

/// What the tool printed.
fn rabbitmqctl(system: &System, arguments: &[&str]) -> Result<String> {
    let tool = system.stack.plan().stores.rabbitmqctl;
    let output = blocking(|| Command::new(&tool).args(arguments).output())
        .with_context(|| tool.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "rabbitmqctl {}: {said}",
        arguments.join(" ")
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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
