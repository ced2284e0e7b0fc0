//! Sold units that come back one by one: each return once, and never more of a line than were sold.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use contracts::OrderId;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::stage::Stage;

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

/// An order of these lines, paid for.
async fn sold(stage: &Stage, lines: &[(&str, u32)]) -> OrderId {
    let order = OrderId::generate();
    assert_eq!(stage.reserve(order, lines).await.0, StatusCode::OK);
    assert_eq!(stage.confirm(order).await.0, StatusCode::OK);
    order
}

#[tokio::test]
async fn units_come_back_until_none_is_left() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    stage.receive("B", 5).await;
    let order = sold(&stage, &[("A", 3), ("B", 1)]).await;

    let first = stage.give_back(order, 1, &[("A", 1)]).await;
    assert_eq!(
        (first.0, &first.1["state"]),
        (StatusCode::OK, &json!("CONFIRMED"))
    );
    assert_eq!(stage.level("A").await, (10, 8, 0, 2));
    assert_eq!(
        stage.give_back(order, 1, &[("A", 1)]).await,
        first,
        "the same return"
    );
    assert_eq!(stage.level("A").await, (10, 8, 0, 2), "moved once");
    let other = stage.give_back(order, 1, &[("A", 2)]).await;
    assert_eq!(code(&other), (422, "BODY_MISMATCH"));

    let second = stage.give_back(order, 2, &[("B", 1), ("A", 2)]).await;
    assert_eq!(second.0, StatusCode::OK);
    assert_eq!(stage.level("A").await, (10, 10, 0, 0));
    assert_eq!(stage.level("B").await, (5, 5, 0, 0));
    let third = stage.give_back(order, 3, &[("A", 1)]).await;
    assert_eq!(code(&third), (409, "INVALID_STATE"));
    assert_eq!(third.1["skus"], json!(["A"]));
    stage.audit().await;
}

#[tokio::test]
async fn too_many_of_one_line_bring_back_none_of_the_others() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    stage.receive("B", 5).await;
    let order = sold(&stage, &[("A", 3), ("B", 1)]).await;
    let refused = stage
        .give_back(order, 1, &[("A", 1), ("B", 2), ("NEVER", 1)])
        .await;
    assert_eq!(code(&refused), (409, "INVALID_STATE"));
    assert_eq!(refused.1["skus"], json!(["B", "NEVER"]));
    assert_eq!(stage.level("A").await, (10, 7, 0, 3));
    assert_eq!(
        stage.give_back(order, 1, &[("A", 1)]).await.0,
        StatusCode::OK,
        "nothing of it remains"
    );
    stage.audit().await;
}

#[tokio::test]
async fn a_restock_of_the_whole_brings_back_what_is_still_sold() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    stage.receive("B", 5).await;
    let order = sold(&stage, &[("A", 3), ("B", 1)]).await;
    stage.give_back(order, 1, &[("A", 2), ("B", 1)]).await;
    assert_eq!(stage.restock(order).await.0, StatusCode::OK);
    assert_eq!(stage.level("A").await, (10, 10, 0, 0));
    assert_eq!(stage.level("B").await, (5, 5, 0, 0));
    assert_eq!(
        stage.give_back(order, 1, &[("A", 2), ("B", 1)]).await.0,
        StatusCode::OK,
        "a repeated return is answered as before"
    );
    assert_eq!(
        code(&stage.give_back(order, 2, &[("A", 1)]).await),
        (409, "INVALID_STATE")
    );
    stage.audit().await;
}

#[tokio::test]
async fn only_what_is_sold_comes_back() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let held = OrderId::generate();
    stage.reserve(held, &[("A", 1)]).await;
    assert_eq!(
        code(&stage.give_back(held, 1, &[("A", 1)]).await),
        (409, "INVALID_STATE")
    );
    let unknown = OrderId::generate();
    assert_eq!(
        code(&stage.give_back(unknown, 1, &[("A", 1)]).await),
        (404, "NOT_FOUND")
    );
    let order = sold(&stage, &[("A", 2)]).await;
    for (number, lines) in [
        (0, vec![("A", 1)]),
        (1, vec![]),
        (1, vec![("A", 0)]),
        (1, vec![("A", 1), ("A", 1)]),
    ] {
        assert_eq!(
            code(&stage.give_back(order, number, &lines).await),
            (422, "INVALID"),
            "{lines:?}"
        );
    }
    let path = format!("/reservations/{order}/returns/first");
    let nonsense = stage.call(Method::PUT, &path, Some(json!({ "lines": [] }))).await;
    assert_eq!(code(&nonsense), (400, "BAD_REQUEST"));
    assert_eq!(stage.level("A").await, (10, 7, 1, 2));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_returns_at_once_of_twenty_units() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("A", 20).await;
    let order = sold(&stage, &[("A", 20)]).await;
    // Each comes twice, as after a lost answer.
    let returns = (0..100).map(|call| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.give_back(order, call / 2 + 1, &[("A", 1)]).await })
    });
    let answers: Vec<_> = join_all(returns).await.into_iter().map(Result::unwrap).collect();
    let taken = answers.iter().filter(|answer| answer.0 == StatusCode::OK).count();
    let refused = answers
        .iter()
        .filter(|answer| code(answer) == (409, "INVALID_STATE"))
        .count();
    assert_eq!((taken, refused), (40, 60), "no fault among the answers");
    assert_eq!(stage.level("A").await, (20, 20, 0, 0));
    stage.audit().await;
}
