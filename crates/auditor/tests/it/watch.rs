//! The audit told as metrics.

use auditor::{Books, watch};
use service_kit::metrics;

use crate::world::{World, run};

fn violations(invariant: &str) -> i64 {
    metrics::gauge("audit_violations", "", &[])
        .with_label_values(&[invariant])
        .get()
}

fn audits(outcome: &str) -> u64 {
    metrics::counter("audits_total", "", &[])
        .with_label_values(&[outcome])
        .get()
}

#[tokio::test]
async fn what_an_audit_finds_is_a_figure_until_it_is_mended() {
    let world = World::new().await;
    let books = Books {
        order: world.order.pool.clone(),
        inventory: world.inventory.pool.clone(),
        payment: world.payment.pool.clone(),
    };
    watch::look(&books, &world.expected).await;
    assert_eq!((violations("I1"), violations("I2")), (0, 0));
    run(
        &world.inventory,
        "UPDATE stock SET available = available - 1, reserved = reserved + 1",
    )
    .await;
    watch::look(&books, &world.expected).await;
    assert!(violations("I1") + violations("I2") > 0);
    run(
        &world.inventory,
        "UPDATE stock SET available = available + 1, reserved = reserved - 1",
    )
    .await;
    watch::look(&books, &world.expected).await;
    assert_eq!((violations("I1"), violations("I2")), (0, 0));
    assert_eq!((audits("ok"), audits("failed")), (3, 0));

    books.payment.close().await;
    watch::look(&books, &world.expected).await;
    assert_eq!(
        (audits("ok"), audits("failed")),
        (3, 1),
        "and none found is not none there"
    );
}
