//! What gets lost, comes twice or comes late: each call fails once, each call arrives twice, workers die, answers and
//! events overtake each other.

use contracts::order::CancelReason;
use contracts::payment::PaymentSucceeded;
use contracts::{EventId, Money, OrderId, PaymentId};
use order::domain::State;
use order::saga::InvalidInput;
use order::{Asked, Created, Key, RefundOrder};

use crate::stage::Stage;
use crate::world::Fault;

const FORWARD: [&str; 3] = ["reserve", "pay", "confirm"];

/// Pays whatever waits for its payment, and tells refunds.
async fn finish(stage: &Stage, order: OrderId) {
    stage.run().await;
    if stage.order(order).await.state == State::PaymentPending {
        stage.capture(order).await;
        stage.run().await;
    }
    if stage.order(order).await.state == State::Refunding {
        stage.refunded(order).await;
        stage.run().await;
    }
}

#[tokio::test]
async fn each_call_forward_fails_once() {
    let stage = Stage::new().await;
    for call in FORWARD {
        for fault in [Fault::Lost, Fault::AnswerLost] {
            stage.world.fault(call, fault);
            let order = stage.place("pm_card_visa").await;
            finish(&stage, order).await;
            assert_eq!(stage.order(order).await.state, State::Paid, "{call} {fault:?}");
            stage.audit(order).await;
        }
    }
}

#[tokio::test]
async fn each_call_back_fails_once() {
    let stage = Stage::new().await;
    for fault in [Fault::Lost, Fault::AnswerLost] {
        for call in ["void", "release"] {
            stage.world.fault(call, fault);
            let order = stage.at(State::Cancelling).await;
            finish(&stage, order).await;
            assert_eq!(
                stage.order(order).await.state,
                State::Cancelled,
                "{call} {fault:?}"
            );
            stage.audit(order).await;
        }
        for call in ["refund", "restock"] {
            let order = stage.at(State::Paid).await;
            stage.world.fault(call, fault);
            refund(&stage, order).await;
            finish(&stage, order).await;
            assert_eq!(
                stage.order(order).await.state,
                State::Refunded,
                "{call} {fault:?}"
            );
            stage.audit(order).await;
        }
    }
}

async fn refund(stage: &Stage, order: OrderId) {
    let request = RefundOrder {
        order,
        note: "asked".to_owned(),
        restock: true,
    };
    let key = Key {
        principal: "usr_operator".to_owned(),
        key: EventId::generate().to_string(),
    };
    stage.app.refund_order(request, &key).await.unwrap();
}

#[tokio::test]
async fn every_call_arrives_twice() {
    let stage = Stage::new().await;
    stage.world.books().twice = true;
    let paid = stage.at(State::Paid).await;
    stage.audit(paid).await;
    refund(&stage, paid).await;
    finish(&stage, paid).await;
    assert_eq!(stage.order(paid).await.state, State::Refunded);
    stage.audit(paid).await;
    let cancelled = stage.at(State::Cancelled).await;
    stage.audit(cancelled).await;
}

#[tokio::test]
async fn every_event_arrives_twice() {
    let stage = Stage::new().await;
    let order = stage.at(State::PaymentPending).await;
    let (payment_id, amount, late) = stage.world.capture(order).unwrap();
    let event = PaymentSucceeded {
        payment_id,
        order_id: order,
        amount,
        captured_at: crate::world::long_ago(),
        late,
    };
    let id = EventId::generate();
    stage.deliver_as(id, event.clone()).await;
    stage.deliver_as(id, event.clone()).await;
    stage.deliver(event.clone()).await;
    stage.run().await;
    stage.deliver(event).await;
    assert_eq!(stage.order(order).await.state, State::Paid);
    assert_eq!(stage.steps(order).await.len(), 8);
    stage.audit(order).await;
}

/// Unwinds from every step: whatever was done by then is undone.
#[tokio::test]
async fn unwinds_from_every_step_with_an_answer_lost() {
    let stage = Stage::new().await;
    let ways = [
        (State::Reserving, None),
        (State::Reserving, Some("reserve")),
        (State::Paying, None),
        (State::Paying, Some("pay")),
        (State::PaymentPending, None),
    ];
    for (state, lost) in ways {
        for back in ["void", "release"] {
            let order = stage.at(state).await;
            if let Some(call) = lost {
                stage.world.fault(call, Fault::AnswerLost);
                stage.app.step().await;
            }
            if back == "release" || state != State::Reserving {
                stage.world.fault(back, Fault::AnswerLost);
            }
            stage.cancel(order).await;
            finish(&stage, order).await;
            assert_eq!(
                stage.order(order).await.state,
                State::Cancelled,
                "{state} {lost:?} {back}"
            );
            stage.audit(order).await;
        }
    }
}

#[tokio::test]
async fn a_crash_leaves_a_lease_and_another_replica_goes_on() {
    let stage = Stage::new().await;
    let other = stage.replica();
    for state in [
        State::Reserving,
        State::Paying,
        State::Confirming,
        State::Cancelling,
    ] {
        let order = stage.at(state).await;
        assert_eq!(stage.app.crash(), 1);
        assert_eq!(other.step().await, 0, "the lease holds");
        stage.end_leases().await;
        while other.step().await > 0 {}
        finish(&stage, order).await;
        stage.audit(order).await;
    }
}

/// A worker that was paused beyond its lease comes back with an answer: it is dropped.
#[tokio::test]
async fn a_zombie_changes_nothing() {
    let stage = Stage::new().await;
    let order = stage.at(State::Paying).await;
    let other = stage.replica();
    stage.end_leases().await;
    assert_eq!(other.step().await, 1, "another made the call");
    assert_eq!(stage.order(order).await.state, State::PaymentPending);
    assert_eq!(stage.app.step().await, 1, "and now the zombie makes it again");
    let shown = stage.order(order).await;
    assert_eq!((shown.state, shown.version), (State::PaymentPending, 5));
    finish(&stage, order).await;
    stage.audit(order).await;
}

#[tokio::test]
async fn the_event_beats_the_answer() {
    let stage = Stage::new().await;
    let order = stage.at(State::Paying).await;
    // The call is out and has taken effect, and its event comes before its answer.
    stage.world.fault("pay", Fault::AnswerLost);
    stage.app.step().await;
    stage.capture(order).await;
    assert_eq!(stage.order(order).await.state, State::Confirming);
    finish(&stage, order).await;
    assert_eq!(stage.order(order).await.state, State::Paid);
    stage.audit(order).await;
}

#[tokio::test]
async fn an_answer_after_the_event_is_dropped() {
    let stage = Stage::new().await;
    let order = stage.at(State::Paying).await;
    let other = stage.replica();
    // The other replica makes the call while this one hears the event and goes on.
    stage.end_leases().await;
    other.step().await;
    stage.capture(order).await;
    stage.run().await;
    assert_eq!(stage.order(order).await.state, State::Paid);
    stage.audit(order).await;
}

#[tokio::test]
async fn an_event_of_an_unknown_order_is_parked() {
    let stage = Stage::new().await;
    stage
        .deliver(PaymentSucceeded {
            payment_id: PaymentId::generate(),
            order_id: OrderId::generate(),
            amount: Money::new(500, contracts::Currency::USD),
            captured_at: crate::world::long_ago(),
            late: false,
        })
        .await;
    let (status, error): (String, String) = sqlx::query_as("SELECT status, last_error FROM inbox")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(status, "PENDING");
    assert!(error.contains("is not known"));
}

#[tokio::test]
async fn another_amount_calls_a_person_and_never_pays() {
    let stage = Stage::new().await;
    let order = stage.at(State::PaymentPending).await;
    stage
        .deliver(PaymentSucceeded {
            payment_id: PaymentId::generate(),
            order_id: order,
            amount: Money::new(1, contracts::Currency::USD),
            captured_at: crate::world::long_ago(),
            late: false,
        })
        .await;
    assert_eq!(stage.order(order).await.state, State::PaymentPending);
    let saga = stage.app.sagas(&[order]).await.unwrap().remove(&order).unwrap();
    assert!(saga.needs_attention);
    assert_eq!(stage.app.retry_order(order).await.unwrap(), order::Asked::Done);
    stage.capture(order).await;
    stage.run().await;
    stage.audit(order).await;
}

#[tokio::test]
async fn long_silence_calls_a_person_and_the_saga_goes_on() {
    let stage = Stage::new().await;
    let order = stage.at(State::Confirming).await;
    for _ in 0..order::saga::ATTENTION_AFTER {
        stage.world.fault("confirm", Fault::Lost);
    }
    for _ in 0..order::saga::ATTENTION_AFTER {
        assert_eq!(stage.app.step().await, 1);
        stage.make_due().await;
    }
    let saga = stage.app.sagas(&[order]).await.unwrap().remove(&order).unwrap();
    assert!(saga.needs_attention);
    assert!(saga.last_error.unwrap().starts_with("confirm"));
    stage.run().await;
    stage.audit(order).await;
}

/// A cart that does not answer never holds an order up.
#[tokio::test]
async fn carts_are_told_again() {
    let stage = Stage::new().await;
    stage.world.fault("checked_out", Fault::Lost);
    let order = stage.at(State::Paid).await;
    stage.app.empty_carts().await.unwrap();
    assert!(stage.world.books().checked_out.is_empty());
    sqlx::query("UPDATE cart_checkout SET next_try_at = now()")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    stage.app.empty_carts().await.unwrap();
    assert_eq!(stage.world.books().checked_out, [order]);
}

#[tokio::test]
async fn two_replicas_share_the_work() {
    let stage = Stage::new().await;
    let other = stage.replica();
    let mut orders = Vec::new();
    for index in 0..12 {
        let app = if index % 2 == 0 { &stage.app } else { &other };
        let request = stage.request(stage.mugs(5, 1), "pm_card_visa", &format!("replica-{index}"));
        let Created::Order(order) = app.create_order(request).await.unwrap() else {
            panic!("not placed");
        };
        orders.push(order);
    }
    stage.app.crash();
    other.crash();
    stage.end_leases().await;
    while stage.app.step().await + other.step().await > 0 {}
    for order in orders {
        assert_eq!(stage.order(order).await.state, State::PaymentPending);
        stage.capture(order).await;
    }
    while stage.app.step().await + other.step().await > 0 {}
    let paid: i64 = sqlx::query_scalar("SELECT count(*) FROM orders WHERE status = 'PAID'")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(paid, 12);
}

/// Another process's transaction that captures the payment of an order, not yet committed.
async fn capturing(stage: &Stage, order: OrderId) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut tx = stage.db.pool.begin().await.unwrap();
    for statement in [
        "UPDATE saga SET version = version + 1, payment = 'CAPTURED', step = 'confirm', attempt = 0,
             next_run_at = clock_timestamp() + interval '1 hour' WHERE order_id = $1",
        "INSERT INTO order_history (order_id, version, from_status, to_status, step, public_status, cause, at)
         SELECT id, version + 1, status, 'CONFIRMING', 'PAYMENT_CAPTURED', public_status, 'test', clock_timestamp()
         FROM orders WHERE id = $1",
        "UPDATE orders SET status = 'CONFIRMING', version = version + 1 WHERE id = $1",
    ] {
        let changed = sqlx::query(statement).bind(order.uuid()).execute(&mut *tx).await.unwrap();
        assert_eq!(changed.rows_affected(), 1);
    }
    tx
}

#[tokio::test]
async fn an_input_that_waited_for_the_saga_finds_its_order_as_it_is_now() {
    let stage = Stage::new().await;
    let order = stage.at(State::PaymentPending).await;
    let quicker = capturing(&stage, order).await;
    let cancelling = tokio::spawn({
        let app = stage.app.clone();
        let key = Key {
            principal: "usr_ada".to_owned(),
            key: EventId::generate().to_string(),
        };
        async move { app.cancel_order(order, CancelReason::Customer, &key).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(&stage.db.pool)
        .await
        .unwrap()
        == 0
    {
        tokio::task::yield_now().await;
    }
    quicker.commit().await.unwrap();
    let asked = cancelling.await.unwrap().unwrap();
    assert_eq!(asked, Asked::Refused(InvalidInput::TooLate));
    assert_eq!(stage.order(order).await.state, State::Confirming);
}
