//! One planted violation per test.

use std::io::Write;

use auditor::{Books, Rest};
use sqlx::Connection;
use test_kit::TestDb;

use crate::world::{CANCELLED, PAID, REFUNDED, World, id, run};

/// Plants `sql` in a database and expects `invariant` to be reported with `text`.
async fn reported(world: &World, db: impl Fn(&World) -> &TestDb, sql: &str, invariant: &str, text: &str) {
    assert!(
        world.audit().await.finding(invariant).unwrap().holds != Some(false),
        "{invariant} is broken already"
    );
    run(db(world), sql).await;
    let report = world.audit().await;
    let finding = report.finding(invariant).unwrap();
    assert_eq!(finding.holds, Some(false), "{invariant} was not reported");
    assert!(
        finding.notes.iter().any(|note| note.contains(text)),
        "{:?}",
        finding.notes
    );
    assert!(!report.holds());
}

#[tokio::test]
async fn a_healthy_world_holds_everything() {
    let world = World::new().await;
    let report = world.audit().await;
    let mut text = Vec::new();
    auditor::print(&report, false, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(report.holds(), "{text}");
    assert_eq!(report.findings.len(), 19);
    assert!(text.contains("kept EUR 1000, of paid orders EUR 1000"), "{text}");
    let books = Books {
        order: world.order.pool.clone(),
        inventory: world.inventory.pool.clone(),
        payment: world.payment.pool.clone(),
    };
    assert!(Rest::look(&books, None).await.unwrap().is_quiet());
}

#[tokio::test]
async fn i1_units_that_vanish() {
    let sql = "ALTER TABLE stock DROP CONSTRAINT stock_adds_up; UPDATE stock SET available = 7";
    reported(&World::new().await, |w| &w.inventory, sql, "I1", "available 7").await;
}

#[tokio::test]
async fn i2_a_counter_that_no_reservation_explains() {
    let sql = "UPDATE stock SET available = 7, reserved = 1";
    reported(&World::new().await, |w| &w.inventory, sql, "I2", "reserved 1").await;
}

#[tokio::test]
async fn i2_a_movement_without_an_entry() {
    let sql = "UPDATE stock SET received = 12, available = 10";
    reported(
        &World::new().await,
        |w| &w.inventory,
        sql,
        "I2",
        "ledger received 10",
    )
    .await;
}

#[tokio::test]
async fn i3_units_sold_to_a_cancelled_order() {
    let sql = format!("UPDATE reservation SET state = 'CONFIRMED' WHERE order_id = '{CANCELLED}'");
    reported(&World::new().await, |w| &w.inventory, &sql, "I3", "CANCELLED").await;
}

#[tokio::test]
async fn i3_units_left_unsold() {
    let mut world = World::new().await;
    world.expected.sold = vec![("TEA".to_owned(), 2)];
    assert!(world.audit().await.holds());
    world.expected.sold = vec![("TEA".to_owned(), 10)];
    assert_eq!(
        world.audit().await.finding("I3").unwrap().notes,
        ["TEA: 2 units sold instead of 10"]
    );
}

#[tokio::test]
async fn i4_money_kept_from_a_refunded_order() {
    let sql = "ALTER TABLE ledger_entry DISABLE TRIGGER USER; DELETE FROM ledger_entry WHERE kind = 'REFUND'";
    reported(
        &World::new().await,
        |w| &w.payment,
        sql,
        "I4",
        "keeps 500 instead of 0",
    )
    .await;
}

#[tokio::test]
async fn i4_a_ledger_that_does_not_balance() {
    let sql = format!(
        "ALTER TABLE ledger_entry DISABLE TRIGGER USER;
         UPDATE ledger_entry SET amount_minor = -999 WHERE txn_id = '{PAID}' AND account = 'orders'"
    );
    reported(&World::new().await, |w| &w.payment, &sql, "I4", "sums to 1").await;
}

#[tokio::test]
async fn i5_an_order_that_never_ends() {
    let sql = format!(
        "UPDATE orders SET status = 'PAYMENT_PENDING', terminal_at = NULL WHERE id = '{PAID}';
         UPDATE order_history SET at = now() - interval '1 hour';
         UPDATE saga SET deadline_at = now() - interval '181 seconds' WHERE order_id = '{PAID}'"
    );
    reported(&World::new().await, |w| &w.order, &sql, "I5", "overdue by").await;
}

#[tokio::test]
async fn i5_leaves_an_order_its_time() {
    let world = World::new().await;
    let sql = format!(
        "UPDATE orders SET status = 'PAYMENT_PENDING', terminal_at = NULL WHERE id = '{PAID}';
         UPDATE order_history SET at = now() - interval '1 hour';
         UPDATE saga SET deadline_at = now() - interval '170 seconds' WHERE order_id = '{PAID}'"
    );
    run(&world.order, &sql).await;
    assert_eq!(world.audit().await.finding("I5").unwrap().holds, Some(true));
}

#[tokio::test]
async fn i6_a_second_capture() {
    let sql = format!(
        "INSERT INTO ledger_entry (txn_id, account, kind, payment_id, amount_minor, currency, booked_at)
         SELECT '{CANCELLED}'::uuid, account, 'CAPTURE', '{PAID}'::uuid, amount, 'EUR', now()
         FROM (VALUES ('provider', 1000), ('orders', -1000)) AS e (account, amount)"
    );
    reported(&World::new().await, |w| &w.payment, &sql, "I6", "2 captures").await;
}

#[tokio::test]
async fn i6_a_second_refund() {
    let sql = format!(
        "INSERT INTO refund (id, payment_id, reason, amount_minor, currency, status, created_at, ended_at)
         VALUES (gen_random_uuid(), '{REFUNDED}', 'operator', 500, 'EUR', 'SUCCEEDED', now(), now())"
    );
    reported(&World::new().await, |w| &w.payment, &sql, "I6", "1000 by refunds").await;
}

#[tokio::test]
async fn i7_a_cancelled_order_that_holds_stock() {
    let sql = format!("UPDATE reservation SET state = 'HELD' WHERE order_id = '{CANCELLED}'");
    reported(
        &World::new().await,
        |w| &w.inventory,
        &sql,
        "I7",
        "units are held",
    )
    .await;
}

#[tokio::test]
async fn i7_a_cancelled_order_that_was_paid() {
    let sql =
        format!("UPDATE payment SET status = 'CAPTURED', captured_at = now() WHERE order_id = '{CANCELLED}'");
    reported(
        &World::new().await,
        |w| &w.payment,
        &sql,
        "I7",
        "the payment is CAPTURED",
    )
    .await;
}

#[tokio::test]
async fn i7_a_paid_order_that_paid_too_little() {
    let sql = format!("UPDATE payment SET amount_minor = 999 WHERE order_id = '{PAID}'");
    reported(
        &World::new().await,
        |w| &w.payment,
        &sql,
        "I7",
        "instead of 1000 EUR",
    )
    .await;
}

#[tokio::test]
async fn i7_a_paid_order_without_its_units() {
    let sql = format!("DELETE FROM reservation WHERE order_id = '{PAID}'");
    reported(&World::new().await, |w| &w.inventory, &sql, "I7", "{} sold").await;
}

#[tokio::test]
async fn i7_a_payment_nobody_ordered() {
    let sql = "INSERT INTO payment (id, order_id, status, version, created_at)
               VALUES (gen_random_uuid(), gen_random_uuid(), 'VOIDED', 1, now())";
    reported(
        &World::new().await,
        |w| &w.payment,
        sql,
        "I7",
        "a payment without an order",
    )
    .await;
}

#[tokio::test]
async fn i8_a_gap_an_illegal_step_and_another_end() {
    let gap = format!("DELETE FROM order_history WHERE order_id = '{PAID}' AND version = 3");
    reported(
        &World::new().await,
        |w| &w.order,
        &gap,
        "I8",
        "version 4 follows 2",
    )
    .await;
    let leap = format!(
        "UPDATE order_history SET to_status = 'PAID' WHERE order_id = '{PAID}' AND version = 3;
         UPDATE order_history SET from_status = 'PAID' WHERE order_id = '{PAID}' AND version = 4"
    );
    reported(
        &World::new().await,
        |w| &w.order,
        &leap,
        "I8",
        "leads from RESERVING to PAID",
    )
    .await;
    let end = format!("UPDATE orders SET status = 'CANCELLED' WHERE id = '{PAID}'");
    reported(
        &World::new().await,
        |w| &w.order,
        &end,
        "I8",
        "but the order is CANCELLED",
    )
    .await;
}

#[tokio::test]
async fn i9_an_event_that_was_not_published() {
    let sql = "UPDATE outbox SET published_at = NULL";
    reported(&World::new().await, |w| &w.payment, sql, "I9", "is not published").await;
}

#[tokio::test]
async fn i9_an_event_that_got_lost() {
    let sql = "DELETE FROM inbox WHERE message_id = (SELECT min(message_id::text)::uuid FROM inbox)";
    reported(
        &World::new().await,
        |w| &w.order,
        sql,
        "I9",
        "never reached order.payment-events",
    )
    .await;
}

#[tokio::test]
async fn i10_a_dead_message_that_was_no_poison() {
    let sql = "UPDATE inbox SET status = 'DEAD', done_at = NULL, last_error = 'boom'
               WHERE message_id = (SELECT min(message_id::text)::uuid FROM inbox)";
    let mut world = World::new().await;
    reported(&world, |w| &w.order, sql, "I10", "boom").await;
    world.expected.poison = 1;
    assert!(world.audit().await.finding("I10").unwrap().holds == Some(true));
}

#[tokio::test]
async fn i11_one_order_for_two_keys_and_a_key_without_an_order() {
    let paid = id(PAID);
    let twice = format!("UPDATE idempotency_key SET response = '\"{paid}\"' WHERE key = 'key-{CANCELLED}'");
    reported(&World::new().await, |w| &w.order, &twice, "I11", "belongs to key").await;
    let none = format!("UPDATE idempotency_key SET response = NULL WHERE key = 'key-{CANCELLED}'");
    reported(&World::new().await, |w| &w.order, &none, "I11", "has no answer").await;
}

#[tokio::test]
async fn i12_an_acknowledged_order_that_is_gone() {
    let mut world = World::new().await;
    world.expected.acknowledged = vec![id(PAID)];
    assert_eq!(world.audit().await.finding("I12").unwrap().holds, Some(true));
    world
        .expected
        .acknowledged
        .push(id("00000000-0000-7000-8000-000000000009"));
    let report = world.audit().await;
    assert_eq!(report.finding("I12").unwrap().violations, 1);
}

#[tokio::test]
async fn i13_a_version_nobody_was_told() {
    let paid = id(PAID);
    let sql = format!("DELETE FROM outbox WHERE aggregate_id = '{paid}' AND aggregate_version = 7");
    reported(
        &World::new().await,
        |w| &w.order,
        &sql,
        "I13",
        "version 7 (PAID) was never announced",
    )
    .await;
}

#[tokio::test]
async fn i14_steps_leases_and_attention() {
    let step = "UPDATE saga_step SET status = 'STARTED', ended_at = NULL";
    reported(&World::new().await, |w| &w.order, step, "I14", "never ended").await;
    let lease = "UPDATE saga SET lease_owner = 'x', lease_until = now()";
    reported(&World::new().await, |w| &w.order, lease, "I14", "leased by x").await;
    let attention = "UPDATE saga SET attention = 'RETRIES', last_error = 'stuck'";
    reported(&World::new().await, |w| &w.order, attention, "I14", "stuck").await;
}

#[tokio::test]
async fn i14_a_transaction_left_open() {
    let world = World::new().await;
    let mut idler = sqlx::PgConnection::connect(&world.payment.url).await.unwrap();
    let _open = idler.begin().await.unwrap();
    let report = world.audit().await;
    assert!(report.finding("I14").unwrap().notes[0].contains("idles in a transaction"));
}

/// Each kind of secret in a log of its own: the check can fail, for every one of them.
/// A coupon spent on an order that was paid, as it should be.
async fn with_a_coupon() -> World {
    let world = World::new().await;
    let sql = format!(
        "INSERT INTO coupon (code, percent_off, starts_at, max_redemptions, max_per_user, redeemed, created_at)
         VALUES ('TEN', 10, now(), 2, 1, 1, now());
         INSERT INTO coupon_redemption (order_id, code, user_id, discount_minor)
         VALUES ('{PAID}', 'TEN', '{PAID}', 100);
         UPDATE orders SET coupon_code = 'TEN', discount_minor = 100 WHERE id = '{PAID}';
         UPDATE order_line SET unit_price_minor = 550 WHERE order_id = '{PAID}'"
    );
    run(&world.order, &sql).await;
    world
}

#[tokio::test]
async fn i17_coupons() {
    let cancelled = format!(
        "INSERT INTO coupon_redemption (order_id, code, user_id, discount_minor)
         VALUES ('{CANCELLED}', 'TEN', '{CANCELLED}', 50);
         UPDATE coupon SET redeemed = 2;
         UPDATE orders SET coupon_code = 'TEN', discount_minor = 50 WHERE id = '{CANCELLED}';
         UPDATE order_line SET unit_price_minor = 550 WHERE order_id = '{CANCELLED}'"
    );
    let same_user = format!("{cancelled}; UPDATE coupon_redemption SET user_id = '{PAID}'");
    for (sql, text) in [
        (
            "UPDATE coupon SET redeemed = 0",
            "counts 0 orders, 1 use it, 2 may",
        ),
        (cancelled.as_str(), "is used by order"),
        (same_user.as_str(), "2 orders of user"),
        (
            "UPDATE coupon_redemption SET given_back_at = now(); UPDATE coupon SET redeemed = 0",
            "is given back by order",
        ),
        (
            "UPDATE coupon_redemption SET discount_minor = 99",
            "does not use so",
        ),
        (
            "UPDATE order_line SET unit_price_minor = 500",
            "is to be paid for lines of",
        ),
    ] {
        reported(&with_a_coupon().await, |w| &w.order, sql, "I17", text).await;
    }
}

#[tokio::test]
async fn i15_canaries() {
    let mut world = World::new().await;
    let folder = std::env::temp_dir().join(format!("auditor-canaries-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    world.expected.logs = Some(folder.clone());
    let canaries = [
        (
            "token",
            "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "holds a token",
        ),
        (
            "password",
            r#"{"input":{"email":"a@b.c","password":"hunter2"}}"#,
            "holds a password or key",
        ),
        (
            "escaped",
            r#"{"body":"{\"password\":\"hunter2\"}"}"#,
            "holds a password or key",
        ),
        ("card", "paid with 4242 4242 4242 4242", "holds a card number"),
    ];
    for (name, line, _) in canaries {
        std::fs::write(
            folder.join(format!("{name}.log")),
            format!("all is well\n{line}\n"),
        )
        .unwrap();
    }
    let report = world.audit().await;
    std::fs::remove_dir_all(&folder).unwrap();
    let finding = report.finding("I15").unwrap();
    assert_eq!((finding.holds, finding.violations), (Some(false), canaries.len()));
    for (name, line, what) in canaries {
        let told = |note: &String| note.contains(&format!("{name}.log:2")) && note.contains(what);
        assert!(finding.notes.iter().any(told), "{name}: {:?}", finding.notes);
        assert!(
            !finding.notes.iter().any(|note| note.contains(line)),
            "the report repeats a secret"
        );
    }
}

#[tokio::test]
async fn i15_a_token_in_a_log() {
    let mut world = World::new().await;
    let folder = std::env::temp_dir().join(format!("auditor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut log = std::fs::File::create(folder.join("order.log")).unwrap();
    writeln!(log, "all is well").unwrap();
    world.expected.logs = Some(folder.clone());
    assert_eq!(world.audit().await.finding("I15").unwrap().holds, Some(true));
    writeln!(
        log,
        "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
    )
    .unwrap();
    let report = world.audit().await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(report.finding("I15").unwrap().notes[0].contains("order.log:2 holds a token"));
}
