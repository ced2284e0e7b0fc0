//! `saga show`.

use operator::case::{Name, find, read};

use crate::world::{id, run, stuck};

#[tokio::test]
async fn everything_of_a_stuck_order_is_shown() {
    let db = stuck().await;
    let case = read(&db.pool, Name::Number(100_012)).await.unwrap();
    assert_eq!((case.id, case.is_final), (id(), false));
    let attention = case.attention.clone().unwrap();
    assert_eq!(attention.why, "RETRIES");
    let text = case.to_string();
    for part in [
        "Order M-100012",
        "RESERVING (buyers see PENDING), version 2, 1000 minor units EUR",
        "correlation id corr-7",
        "NEEDS A PERSON: RETRIES: a call stays unanswered",
        "last error: inventory: connection refused",
        "reserve  8 ",
        "ASKED",
        "RESERVING_STOCK",
        "fwd   STARTED  8",
        "deadline  4",
        "order.status_changed.v1  WAITING",
        "payment.succeeded.v9",
        "unknown version",
        "evt_",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[tokio::test]
async fn an_order_at_rest_needs_nobody() {
    let db = stuck().await;
    let calm = "UPDATE saga SET attention = NULL, last_error = NULL, step = NULL, next_run_at = NULL;
        UPDATE orders SET status = 'CANCELLED', reason = 'CUSTOMER', terminal_at = now()";
    run(&db, calm).await;
    let case = read(&db.pool, Name::Id(id().uuid())).await.unwrap();
    assert!(case.attention.is_none() && case.is_final);
    let text = case.to_string();
    assert!(
        text.contains("needs nobody") && text.contains("CANCELLED, CUSTOMER"),
        "{text}"
    );
    assert!(text.contains("nothing  8 "), "{text}");
}

#[tokio::test]
async fn an_unknown_order_is_an_error() {
    let db = stuck().await;
    let error = find(&db.pool, Name::Number(7)).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no such order");
}
