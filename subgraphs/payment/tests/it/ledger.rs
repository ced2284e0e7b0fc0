//! The ledger refuses what would make it wrong.

use contracts::OrderId;

use crate::world::World;

async fn refused(world: &World, sql: &'static str) -> bool {
    sqlx::raw_sql(sql).execute(&world.db.pool).await.is_err()
}

#[tokio::test]
async fn entries_are_final_and_balanced() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_card_visa").await;
    world.refund(order, "return", Some(500)).await;
    assert_eq!(world.count("SELECT count(*) FROM ledger_entry").await, 4);
    assert_eq!(
        world
            .count("SELECT sum(amount_minor)::bigint FROM ledger_entry")
            .await,
        0
    );
    assert!(refused(&world, "UPDATE ledger_entry SET amount_minor = amount_minor * 2").await);
    assert!(refused(&world, "DELETE FROM ledger_entry").await);
    assert!(refused(&world, "TRUNCATE ledger_entry").await);
    let one_sided =
        "INSERT INTO ledger_entry SELECT gen_random_uuid(), 'provider', 'REFUND', id, 5, 'USD', now()
                     FROM payment";
    assert!(refused(&world, one_sided).await);
    let twice =
        "INSERT INTO ledger_entry SELECT txn_id, account, kind, payment_id, amount_minor, currency, now()
                 FROM ledger_entry";
    assert!(refused(&world, twice).await);
    assert_eq!(world.held_minor().await, 1499);
}
