//! With the accounts of a deployment: each service does its work with its own, and no other's.

use std::collections::BTreeMap;

use dev_stack::servers::{RabbitMq, scratch_folder};
use event_bus::{Bus, relay_once};
use service_kit::{Host, Secret};

use crate::scene::{QUEUE, SPEC, count, database, enqueue, event, eventually};

/// A broker as the local system has it, and the addresses by which each service knows it.
struct Broker {
    server: RabbitMq,
    accounts: BTreeMap<String, String>,
    _folder: tempfile::TempDir,
}

impl Broker {
    async fn start() -> Self {
        let start = || {
            let folder = scratch_folder().unwrap();
            let server = RabbitMq::start(folder.path()).unwrap();
            let accounts = server.apply_definitions().unwrap();
            Self {
                server,
                accounts,
                _folder: folder,
            }
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    fn bus(&self, service: &'static str) -> (Bus, Host) {
        let host = Host::for_test(service);
        let url = Secret::new(self.accounts[service].clone());
        (Bus::connect(&url, &host), host)
    }
}

fn is_up(host: &Host) -> bool {
    let report = host.readiness.report();
    report
        .components
        .get("rabbitmq")
        .is_some_and(|state| state == "up")
}

#[tokio::test]
async fn an_account_is_enough_for_its_service_and_for_nothing_else() {
    let (broker, theirs, ours) = (Broker::start().await, database().await, database().await);
    // order consumes, and parks what is no event.
    let (order, order_host) = broker.bus("order");
    order.run_consumer(ours.pool.clone(), SPEC);
    eventually("order's consumer is up", async || is_up(&order_host)).await;
    let (inventory, _) = broker.bus("inventory");
    let (good, bad) = (event(), event());
    enqueue(&theirs.pool, &bad).await;
    enqueue(&theirs.pool, &good).await;
    sqlx::query("UPDATE outbox SET payload = '{\"specversion\": \"9.9\"}' WHERE id = $1")
        .bind(bad.id.uuid())
        .execute(&theirs.pool)
        .await
        .unwrap();
    assert_eq!(relay_once(&theirs.pool, inventory.publisher()).await.unwrap(), 2);
    let stored = async || count(&ours.pool, "SELECT count(*) FROM inbox").await;
    eventually("the good one is stored", async || stored().await == 1).await;
    eventually("the bad one is parked", async || {
        order.count_parked(QUEUE).await.unwrap() == 1
    })
    .await;
    // payment forges an event of inventory's: the broker refuses it, and nobody hears of it.
    let (payment, _) = broker.bus("payment");
    enqueue(&theirs.pool, &event()).await;
    let published = relay_once(&theirs.pool, payment.publisher()).await;
    assert!(matches!(published, Ok(0) | Err(_)), "{published:?}");
    let waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
    assert_eq!(count(&theirs.pool, waiting).await, 1);
    // It listens to nothing of theirs either.
    let (nosy, nosy_host) = broker.bus("payment");
    nosy.run_consumer(theirs.pool.clone(), SPEC);
    eventually("the broker refuses a foreign consumer", async || {
        let report = nosy_host.readiness.report();
        let said = report.components.get("rabbitmq").cloned().unwrap_or_default();
        said.contains("ACCESS_REFUSED") || said.contains("ACCESS-REFUSED") || said.contains("refused")
    })
    .await;
    assert_eq!(stored().await, 1);
    for host in [&order_host, &nosy_host] {
        host.shutdown.cancel();
    }
    drop(broker.server);
}
