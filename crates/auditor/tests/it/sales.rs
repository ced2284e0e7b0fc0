//! Sums that are right hold; each planted fault of them is found.

use sqlx::migrate::Migrator;
use test_kit::TestDb;

use crate::world::{CANCELLED, PAID, REFUNDED, World, run};

static ANALYTICS: Migrator = sqlx::migrate!("../../subgraphs/analytics/migrations");

/// The world, and analytics as it should be after hearing of it.
async fn heard() -> (World, TestDb) {
    let mut world = World::new().await;
    let analytics = test_kit::postgres(&ANALYTICS).await;
    let sql = format!(
        "INSERT INTO fact (order_id, type, version, event_id, at, payload)
         VALUES ('{PAID}', 'order.created.v1', 1, gen_random_uuid(), now() - interval '1 hour', '{{}}'),
                ('{PAID}', 'order.status_changed.v1', 2, gen_random_uuid(), now(), '{{}}');
         INSERT INTO order_fact (order_id, user_id, currency, total_minor, discount_minor, lines, placed_at, paid_at, refunds)
         VALUES ('{PAID}', '{PAID}', 'EUR', 1000, 0, '[]', now(), now(), '{{}}'),
                ('{CANCELLED}', '{PAID}', 'EUR', 500, 0, '[]', now(), NULL, '{{}}'),
                ('{REFUNDED}', '{PAID}', 'EUR', 500, 0, '[]', now(), NULL,
                 '{{\"2\": {{\"at\": \"2026-01-01T00:00:00Z\", \"minor\": 500, \"currency\": \"EUR\"}}}}');
         INSERT INTO sales_hour (currency, hour, orders, paid, cancelled, revenue_minor, refunded_minor, discounts_minor)
         VALUES ('EUR', date_trunc('hour', now()), 3, 1, 1, 1000, 500, 0)"
    );
    run(&analytics, &sql).await;
    world.expected.analytics = Some(analytics.url.clone());
    // So short that nothing is new, and not a system at rest, which is looked at again and again.
    world.expected.grace_s = 1e-6;
    (world, analytics)
}

#[tokio::test]
async fn right_sums_hold_and_without_analytics_nothing_is_said() {
    let (mut world, _analytics) = heard().await;
    let report = world.audit().await;
    let finding = report.finding("I19").unwrap();
    assert_eq!(finding.holds, Some(true), "{:?}", finding.notes);
    assert!(finding.figures.contains(&("paid EUR".to_owned(), 1000)));
    world.expected.analytics = None;
    assert_eq!(world.audit().await.finding("I19").unwrap().holds, None);
    let empty = test_kit::empty_postgres().await;
    world.expected.analytics = Some(empty.url.clone());
    assert_eq!(world.audit().await.finding("I19").unwrap().holds, None);
}

#[tokio::test]
async fn i19_what_is_missing_wrong_or_too_much() {
    for (sql, text) in [
        (
            format!("UPDATE order_fact SET paid_at = NULL WHERE order_id = '{PAID}'"),
            "1000 EUR paid, counted None",
        ),
        (
            format!("UPDATE order_fact SET total_minor = 999 WHERE order_id = '{PAID}'"),
            "1000 EUR paid, counted Some(999)",
        ),
        (
            format!("UPDATE order_fact SET paid_at = now() WHERE order_id = '{CANCELLED}'"),
            "nothing paid, counted 500 EUR",
        ),
        (
            format!("UPDATE order_fact SET refunds = '{{}}' WHERE order_id = '{REFUNDED}'"),
            "500 EUR sent back, counted None",
        ),
        (
            "UPDATE sales_hour SET revenue_minor = 1001".to_owned(),
            "the hours say [1, 1001, 500]",
        ),
    ] {
        let (world, analytics) = heard().await;
        run(&analytics, &sql).await;
        let report = world.audit().await;
        let finding = report.finding("I19").unwrap();
        assert_eq!(finding.holds, Some(false), "{sql}");
        assert!(
            finding.notes.iter().any(|note| note.contains(text)),
            "{:?}",
            finding.notes
        );
    }
}

#[tokio::test]
async fn what_is_new_is_not_judged() {
    let (mut world, analytics) = heard().await;
    run(
        &analytics,
        "UPDATE order_fact SET paid_at = NULL; DELETE FROM sales_hour",
    )
    .await;
    world.expected.grace_s = 60.0;
    let report = world.audit().await;
    assert_eq!(report.finding("I19").unwrap().holds, Some(true));
}

#[tokio::test]
async fn what_analytics_has_not_come_to_is_not_judged_beside_traffic() {
    let (mut world, analytics) = heard().await;
    let away = "UPDATE order_fact SET paid_at = NULL, refunds = '{}'; DELETE FROM sales_hour;
                UPDATE fact SET at = now() - interval '2 days' WHERE type = 'order.created.v1';
                DELETE FROM fact WHERE type = 'order.status_changed.v1'";
    run(&analytics, away).await;
    let report = world.audit().await;
    let finding = report.finding("I19").unwrap();
    assert_eq!(finding.holds, Some(true), "{:?}", finding.notes);
    // At rest there is no excuse.
    world.expected.grace_s = 0.0;
    assert_eq!(world.audit().await.finding("I19").unwrap().holds, Some(false));
}
