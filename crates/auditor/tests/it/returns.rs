//! A world with a return in it holds; each planted fault of it is found.

use test_kit::TestDb;

use crate::world::{CANCELLED, PAID, World, run};

/// The paid order of two teas, one of which came back and is on the shelf.
async fn with_a_return() -> World {
    let world = World::new().await;
    let sql = format!(
        "INSERT INTO order_return (order_id, number, amount_minor, note, money, units, created_at, ended_at)
         VALUES ('{PAID}', 1, 500, 'too strong', 'DONE', 'DONE', now(), now());
         INSERT INTO order_return_line (order_id, number, line_no, quantity, restock) VALUES ('{PAID}', 1, 1, 1, true);
         UPDATE order_line SET returned = 1 WHERE order_id = '{PAID}';
         UPDATE orders SET returned_minor = 500 WHERE id = '{PAID}'"
    );
    run(&world.order, &sql).await;
    let sql = format!(
        "UPDATE reservation SET returned = 1 WHERE order_id = '{PAID}';
         UPDATE stock SET available = 9, sold = 1;
         INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt) VALUES ('TEA', 'RETURN', 1, '{PAID}', 1)"
    );
    run(&world.inventory, &sql).await;
    let sql = format!(
        "UPDATE payment SET status = 'PARTIALLY_REFUNDED', refunded_minor = 500 WHERE order_id = '{PAID}';
         INSERT INTO refund (id, payment_id, reason, amount_minor, currency, status, created_at, ended_at) VALUES
             ('00000000-0000-7000-8000-0000000000f1', '{PAID}', 'return_1', 500, 'EUR', 'SUCCEEDED', now(), now());
         INSERT INTO ledger_entry (txn_id, account, kind, payment_id, amount_minor, currency, booked_at) VALUES
             ('00000000-0000-7000-8000-0000000000f1', 'provider', 'REFUND', '{PAID}', -500, 'EUR', now()),
             ('00000000-0000-7000-8000-0000000000f1', 'orders', 'REFUND', '{PAID}', 500, 'EUR', now())"
    );
    run(&world.payment, &sql).await;
    world
}

/// Plants `sql` in a world with a return and expects `invariant` to be reported with `text`.
async fn reported(db: impl Fn(&World) -> &TestDb, sql: &str, invariant: &str, text: &str) {
    let world = with_a_return().await;
    run(db(&world), sql).await;
    let report = world.audit().await;
    let finding = report.finding(invariant).unwrap();
    assert_eq!(
        finding.holds,
        Some(false),
        "{invariant} was not reported for {sql}"
    );
    assert!(
        finding.notes.iter().any(|note| note.contains(text)),
        "{:?}",
        finding.notes
    );
}

#[tokio::test]
async fn a_world_with_a_return_holds_everything() {
    let report = with_a_return().await.audit().await;
    let mut text = Vec::new();
    auditor::print(&report, false, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(report.holds(), "{text}");
    assert!(text.contains("kept EUR 500, of paid orders EUR 500"), "{text}");
    assert!(
        text.contains("sold 1, of paid orders, less what came back 1"),
        "{text}"
    );
}

#[tokio::test]
async fn i2_a_return_without_a_movement_or_the_other_way_round() {
    let moved = "UPDATE stock SET available = 8, sold = 2";
    reported(
        |w| &w.inventory,
        moved,
        "I2",
        "stock received 10 reserved 0 sold 2",
    )
    .await;
    let row = format!("UPDATE reservation SET returned = 0 WHERE order_id = '{PAID}'");
    reported(|w| &w.inventory, &row, "I2", "reservations reserved 0 sold 2").await;
    let twice = format!(
        "INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt) VALUES ('TEA', 'RETURN', 1, '{PAID}', 2)"
    );
    reported(
        |w| &w.inventory,
        &twice,
        "I2",
        "ledger received 10 reserved 0 sold 0",
    )
    .await;
}

#[tokio::test]
async fn i4_more_or_less_went_back_than_the_returns_say() {
    let kept = "ALTER TABLE ledger_entry DISABLE TRIGGER USER; DELETE FROM ledger_entry
                WHERE txn_id = '00000000-0000-7000-8000-0000000000f1'";
    reported(|w| &w.payment, kept, "I4", "PAID, keeps 1000 instead of 500").await;
    let silent = "UPDATE order_return SET amount_minor = 400";
    reported(|w| &w.order, silent, "I4", "PAID, keeps 500 instead of 600").await;
}

#[tokio::test]
async fn i6_a_refund_that_is_booked_twice() {
    let twice = format!(
        "INSERT INTO refund (id, payment_id, reason, amount_minor, currency, status, created_at, ended_at)
         VALUES (gen_random_uuid(), '{PAID}', 'return_2', 500, 'EUR', 'SUCCEEDED', now(), now())"
    );
    reported(|w| &w.payment, &twice, "I6", "1000 by refunds").await;
}

#[tokio::test]
async fn i7_units_on_the_shelf_that_nobody_returned() {
    let kept = format!("UPDATE order_return_line SET restock = false WHERE order_id = '{PAID}'");
    reported(|w| &w.order, &kept, "I7", "sold").await;
    let unpaid =
        "UPDATE payment SET status = 'FAILED', captured_at = NULL WHERE status = 'PARTIALLY_REFUNDED'";
    reported(|w| &w.payment, unpaid, "I7", "the payment is FAILED").await;
}

#[tokio::test]
async fn i7_a_part_that_no_return_sent_back() {
    let world = World::new().await;
    run(
        &world.payment,
        &format!("UPDATE payment SET status = 'PARTIALLY_REFUNDED' WHERE order_id = '{PAID}'"),
    )
    .await;
    let report = world.audit().await;
    assert!(report.finding("I7").unwrap().notes[0].contains("the payment is PARTIALLY_REFUNDED"));
}

#[tokio::test]
async fn i14_a_return_that_is_not_done() {
    let open = "UPDATE order_return SET money = 'REFUSED', ended_at = NULL, needs_attention = true,
                    last_error = 'the account is closed'";
    reported(|w| &w.order, open, "I14", "the account is closed").await;
}

#[tokio::test]
async fn i18_sums_that_pass_what_was_paid_or_bought() {
    let more = format!(
        "ALTER TABLE orders DROP CONSTRAINT orders_returned_range;
         UPDATE order_return SET amount_minor = 1001; UPDATE orders SET returned_minor = 1001 WHERE id = '{PAID}'"
    );
    reported(|w| &w.order, &more, "I18", "1001 returned of 1000").await;
    let uncounted = format!("UPDATE orders SET returned_minor = 0 WHERE id = '{PAID}'");
    reported(
        |w| &w.order,
        &uncounted,
        "I18",
        "counts 0 returned of 1000, its returns sum to 500",
    )
    .await;
    let units = format!(
        "ALTER TABLE order_line DROP CONSTRAINT order_line_returned_range;
         UPDATE order_return_line SET quantity = 3; UPDATE order_line SET returned = 3 WHERE order_id = '{PAID}'"
    );
    reported(|w| &w.order, &units, "I18", "3 returned of 2").await;
    let cancelled = format!("UPDATE order_return SET order_id = '{CANCELLED}'");
    let freed = format!("DELETE FROM order_return_line; {cancelled}");
    reported(|w| &w.order, &freed, "I18", "is CANCELLED and has a return").await;
}

#[tokio::test]
async fn i18_what_was_done_is_what_was_asked_for() {
    let nobody = "DELETE FROM order_return_line; DELETE FROM order_return";
    reported(
        |w| &w.order,
        nobody,
        "I18",
        "500 sent back for a return 1 that nobody asked for",
    )
    .await;
    reported(
        |w| &w.order,
        nobody,
        "I18",
        "1 TEA on the shelf for a return 1 that nobody asked for",
    )
    .await;
    let other = "UPDATE order_return SET amount_minor = 499";
    reported(
        |w| &w.order,
        other,
        "I18",
        "500 sent back for return 1, which asks for 499",
    )
    .await;
    let undone = "UPDATE refund SET status = 'FAILED' WHERE reason = 'return_1'";
    reported(
        |w| &w.payment,
        undone,
        "I18",
        "return 1 is done, but its 500 is not sent back",
    )
    .await;
    let unmoved =
        "ALTER TABLE stock_ledger DISABLE TRIGGER USER; DELETE FROM stock_ledger WHERE kind = 'RETURN'";
    reported(
        |w| &w.inventory,
        unmoved,
        "I18",
        "return 1 is done, but its 1 TEA is not on the shelf",
    )
    .await;
}
