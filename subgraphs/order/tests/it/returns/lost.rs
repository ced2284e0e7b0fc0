//! Returns whose calls get lost, whose process dies, whose refund is refused.

use order::Asked;
use order::domain::State;
use order::domain::returns::{MoneyBack, UnitsBack};
use serde_json::json;

use super::{amount, ask, bought, carry, make_due, mugs, on_shelf, stand, told};
use crate::graph::Graph;
use crate::stage::Stage;
use crate::world::Fault;

#[tokio::test]
async fn lost_calls_and_lost_answers_are_asked_again_with_their_key() {
    let stage = Stage::new().await;
    let order = bought(&stage, 3).await;
    for (call, fault) in [
        ("refund", Fault::Lost),
        ("refund", Fault::AnswerLost),
        ("take_back", Fault::Lost),
        ("take_back", Fault::AnswerLost),
    ] {
        stage.world.fault(call, fault);
    }
    stage.world.books().twice = true;
    assert_eq!(ask(&stage, mugs(order, 2, true)).await, Asked::Done);
    carry(&stage).await;
    assert_eq!(
        stand(&stage, order).await,
        [(1000, MoneyBack::Asked, UnitsBack::Done, false)]
    );
    told(&stage, order, "return_1").await;
    assert_eq!(
        stand(&stage, order).await,
        [(1000, MoneyBack::Done, UnitsBack::Done, false)]
    );
    assert_eq!(on_shelf(&stage, order), 49);
    let books = stage.world.books();
    assert_eq!(books.sent_back.values().sum::<i64>(), 1000);
    assert_eq!(books.refunds.len(), 1, "one refund for all tries");
}

/// Whoever dies holds a lease; whoever comes after it makes the same call again.
#[tokio::test]
async fn a_process_that_dies_between_the_calls_is_followed_by_another() {
    let stage = Stage::new().await;
    let order = bought(&stage, 3).await;
    assert_eq!(ask(&stage, mugs(order, 1, true)).await, Asked::Done);
    // Claimed, and the call has taken effect; then it dies before it saves.
    let lease = "UPDATE order_return SET version = version + 1, attempt = 1, next_run_at = now() + interval '30 seconds'";
    sqlx::query(lease).execute(&stage.db.pool).await.unwrap();
    {
        let mut books = stage.world.books();
        books.sent_back.insert((order, "return_1".to_owned()), 500);
        books
            .refunds
            .insert((order, "return_1".to_owned()), contracts::RefundId::generate());
    }
    let other = stage.replica();
    assert_eq!(other.run_returns().await.unwrap(), 0, "it is leased");
    make_due(&stage).await;
    assert_eq!(other.run_returns().await.unwrap(), 1);
    assert_eq!(
        stand(&stage, order).await,
        [(500, MoneyBack::Asked, UnitsBack::Done, false)]
    );
    assert_eq!(on_shelf(&stage, order), 48);
    assert_eq!(stage.world.books().sent_back.values().sum::<i64>(), 500);
}

#[tokio::test]
async fn an_event_may_be_quicker_than_the_answer_and_may_get_lost() {
    let stage = Stage::new().await;
    let order = bought(&stage, 2).await;
    assert_eq!(ask(&stage, amount(order, 100)).await, Asked::Done);
    // The call takes effect, its answer is lost, and the event comes.
    stage.world.fault("refund", Fault::AnswerLost);
    stage.app.run_returns().await.unwrap();
    told(&stage, order, "return_1").await;
    carry(&stage).await;
    assert_eq!(
        stand(&stage, order).await,
        [(100, MoneyBack::Done, UnitsBack::Nothing, false)]
    );
    let asked = stage
        .world
        .books()
        .calls
        .iter()
        .filter(|call| **call == "refund")
        .count();
    assert_eq!(asked, 1, "nothing is left to ask for");

    assert_eq!(ask(&stage, amount(order, 200)).await, Asked::Done);
    carry(&stage).await;
    let wait: f64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM next_run_at - now())::float8 FROM order_return WHERE number = 2",
    )
    .fetch_one(&stage.db.pool)
    .await
    .unwrap();
    assert!((1.0..=60.0).contains(&wait), "asked again in a minute: {wait}");
    assert!(stage.order(order).await.state == State::Paid);
}

#[tokio::test]
async fn money_that_no_return_asked_for_calls_a_person() {
    let stage = Stage::new().await;
    let order = bought(&stage, 2).await;
    let stray = (order, "return_7".to_owned());
    {
        let mut books = stage.world.books();
        books
            .refunds
            .insert(stray.clone(), contracts::RefundId::generate());
        books.sent_back.insert(stray, 100);
    }
    told(&stage, order, "return_7").await;
    let saga = stage.app.sagas(&[order]).await.unwrap().remove(&order).unwrap();
    assert!(saga.needs_attention, "{saga:?}");
}

#[tokio::test]
async fn a_refund_that_is_refused_needs_a_person_and_is_then_made_anew() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = bought(&stage, 2).await;
    stage.world.books().refusing = true;
    assert_eq!(ask(&stage, mugs(order, 1, true)).await, Asked::Done);
    carry(&stage).await;
    assert_eq!(
        stand(&stage, order).await,
        [(500, MoneyBack::Refused, UnitsBack::Done, true)]
    );
    let stuck =
        "{ orders(filter: { needsAttention: true }) { nodes { id returns { needsAttention lastError } } } }";
    let seen = graph.ask(&graph.staff, stuck, json!({})).await;
    let nodes = &seen["data"]["orders"]["nodes"];
    assert_eq!(nodes[0]["id"], order.to_string(), "{seen}");
    assert_eq!(
        nodes[0]["returns"][0]["lastError"],
        "the provider refuses the refund"
    );
    assert_eq!(
        stage.app.run_returns().await.unwrap(),
        0,
        "nobody asks again by himself"
    );

    stage.world.books().refusing = false;
    assert_eq!(stage.app.retry_order(order).await.unwrap(), Asked::Done);
    carry(&stage).await;
    told(&stage, order, "return_1_2").await;
    assert_eq!(
        stand(&stage, order).await,
        [(500, MoneyBack::Done, UnitsBack::Done, false)]
    );
    assert_eq!(
        stage.app.retry_order(order).await.unwrap(),
        Asked::Refused(order::saga::InvalidInput::WrongState),
        "nothing is left to do"
    );
}
