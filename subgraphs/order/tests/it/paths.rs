//! The ways an order can go, each with what the other services saw of it.

use contracts::order::{CancelReason, OrderStatus, OrderStep as Step};
use order::domain::State;
use order::{Asked, Created, Key, RefundOrder, ShipOrder};

use crate::stage::Stage;

#[tokio::test]
async fn paid() {
    let stage = Stage::new().await;
    let order = stage.place("pm_card_visa").await;
    stage.run().await;
    assert_eq!(stage.order(order).await.state, State::PaymentPending);
    stage.capture(order).await;
    assert_eq!(stage.order(order).await.state, State::Confirming);
    stage.run().await;
    assert_eq!(
        stage.steps(order).await,
        [
            Step::Created,
            Step::ReservingStock,
            Step::StockReserved,
            Step::StartingPayment,
            Step::PaymentStarted,
            Step::PaymentCaptured,
            Step::StockConfirmed,
            Step::Paid,
        ]
    );
    stage.audit(order).await;
    assert_eq!(stage.app.empty_carts().await.unwrap(), 1);
    assert_eq!(stage.world.books().checked_out, [order]);
    assert_eq!(stage.app.empty_carts().await.unwrap(), 0);
    let calls = stage.world.books().calls.clone();
    assert_eq!(
        calls,
        ["cart", "lookup", "reserve", "pay", "confirm", "checked_out"]
    );
}

#[tokio::test]
async fn sold_out() {
    let stage = Stage::new().await;
    let request = stage.request(stage.mugs(1, 2), "pm_card_visa", "sold-out-1");
    let Created::Order(order) = stage.app.create_order(request).await.unwrap() else {
        panic!("not placed");
    };
    stage.run().await;
    let shown = stage.order(order).await;
    assert_eq!(shown.cancel_reason, Some(CancelReason::OutOfStock));
    assert_eq!(
        stage.steps(order).await[2..],
        [Step::StockRefused, Step::Cancelling, Step::Cancelled]
    );
    stage.audit(order).await;
}

#[tokio::test]
async fn declined_by_answer_and_by_event() {
    let stage = Stage::new().await;
    let by_answer = stage.place("pm_card_chargeDeclined").await;
    stage.run().await;
    let by_event = stage.at(State::PaymentPending).await;
    stage.decline(by_event).await;
    stage.run().await;
    for order in [by_answer, by_event] {
        let shown = stage.order(order).await;
        assert_eq!(shown.cancel_reason, Some(CancelReason::PaymentDeclined));
        assert_eq!(shown.status(), OrderStatus::Cancelled);
        let steps = stage.steps(order).await;
        assert!(steps.ends_with(&[
            Step::PaymentFailed,
            Step::Cancelling,
            Step::StockReleased,
            Step::Cancelled
        ]));
        stage.audit(order).await;
    }
    assert!(
        !stage.world.books().calls.contains(&"void"),
        "a declined payment needs no void"
    );
}

#[tokio::test]
async fn cancelled_in_each_state() {
    let stage = Stage::new().await;
    for state in [State::Reserving, State::Paying, State::PaymentPending] {
        let order = stage.at(state).await;
        assert_eq!(stage.cancel(order).await, Asked::Done, "{state}");
        assert_eq!(stage.cancel(order).await, Asked::Done, "again");
        stage.run().await;
        let shown = stage.order(order).await;
        assert_eq!(
            (shown.state, shown.cancel_reason),
            (State::Cancelled, Some(CancelReason::Customer))
        );
        stage.audit(order).await;
    }
    for state in [State::Confirming, State::Paid] {
        let order = stage.at(state).await;
        assert!(matches!(stage.cancel(order).await, Asked::Refused(_)), "{state}");
        stage.run().await;
        assert_eq!(stage.order(order).await.state, State::Paid);
    }
    let calls = stage.world.books().calls.clone();
    let void = calls.iter().position(|call| *call == "void").unwrap();
    let release = calls.iter().rposition(|call| *call == "release").unwrap();
    assert!(void < release, "the payment decides the race");
}

#[tokio::test]
async fn late_payment_is_refunded_once() {
    let stage = Stage::new().await;
    let order = stage.at(State::Cancelled).await;
    stage.capture(order).await;
    assert_eq!(stage.order(order).await.state, State::Refunding);
    stage.run().await;
    stage.refunded(order).await;
    assert_eq!(stage.order(order).await.state, State::Refunded);
    stage.audit(order).await;
    // The other way round: payment's own refund is told first.
    let order = stage.at(State::Cancelled).await;
    stage.world.capture(order).unwrap();
    stage.refunded(order).await;
    assert_eq!(stage.order(order).await.state, State::Refunded);
    stage.audit(order).await;
}

#[tokio::test]
async fn capture_wins_over_the_void() {
    let stage = Stage::new().await;
    let order = stage.at(State::Cancelling).await;
    stage.world.capture(order).unwrap();
    stage.run().await;
    stage.refunded(order).await;
    stage.run().await;
    assert_eq!(stage.order(order).await.state, State::Refunded);
    stage.audit(order).await;
}

#[tokio::test]
async fn the_deadline_gives_up_what_is_not_paid_and_nothing_else() {
    let stage = Stage::new().await;
    let open = stage.at(State::PaymentPending).await;
    let confirming = stage.at(State::Confirming).await;
    assert_eq!(stage.app.fire_timers().await.unwrap(), 0);
    sqlx::query("UPDATE saga_timer SET fire_at = now()")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(stage.app.fire_timers().await.unwrap(), 2);
    stage.run().await;
    let shown = stage.order(open).await;
    assert_eq!(
        (shown.state, shown.cancel_reason),
        (State::Cancelled, Some(CancelReason::PaymentTimeout))
    );
    assert_eq!(stage.order(confirming).await.state, State::Paid);
    stage.audit(open).await;
    stage.audit(confirming).await;
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM saga_timer")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(timers, 0);
}

#[tokio::test]
async fn an_expired_hold_cancels_before_the_money_and_is_held_again_after_it() {
    let stage = Stage::new().await;
    let unpaid = stage.at(State::PaymentPending).await;
    stage.expire(unpaid).await;
    stage.run().await;
    assert_eq!(stage.order(unpaid).await.state, State::Cancelled);
    stage.audit(unpaid).await;
    let paid = stage.at(State::Confirming).await;
    stage.expire(paid).await;
    stage.run().await;
    assert_eq!(stage.order(paid).await.state, State::Paid);
    stage.audit(paid).await;
}

#[tokio::test]
async fn money_for_stock_that_is_gone_goes_back() {
    let stage = Stage::new().await;
    let order = stage.at(State::Confirming).await;
    stage.expire(order).await;
    for stock in stage.world.books().shelf.values_mut() {
        *stock = 0;
    }
    stage.run().await;
    stage.refunded(order).await;
    let shown = stage.order(order).await;
    assert_eq!(
        (shown.state, shown.cancel_reason),
        (State::Refunded, Some(CancelReason::OutOfStock))
    );
    stage.audit(order).await;
}

#[tokio::test]
async fn shipped_delivered_and_refunded_by_an_operator() {
    let stage = Stage::new().await;
    let order = stage.at(State::Paid).await;
    let ship = ShipOrder {
        order,
        carrier: Some("DHL".to_owned()),
        tracking_number: None,
    };
    assert!(matches!(
        stage.app.deliver_order(order).await.unwrap(),
        Asked::Refused(_)
    ));
    assert_eq!(stage.app.ship_order(ship.clone()).await.unwrap(), Asked::Done);
    assert_eq!(stage.app.ship_order(ship).await.unwrap(), Asked::Done);
    assert_eq!(stage.app.deliver_order(order).await.unwrap(), Asked::Done);
    assert_eq!(stage.order(order).await.status(), OrderStatus::Delivered);
    let request = RefundOrder {
        order,
        note: "broken".to_owned(),
        restock: true,
    };
    let key = Key {
        principal: "usr_operator".to_owned(),
        key: "refund-1".to_owned(),
    };
    assert_eq!(
        stage.app.refund_order(request.clone(), &key).await.unwrap(),
        Asked::Done
    );
    assert_eq!(
        stage.app.refund_order(request.clone(), &key).await.unwrap(),
        Asked::Done
    );
    let other = RefundOrder {
        restock: false,
        ..request
    };
    assert_eq!(
        stage.app.refund_order(other, &key).await.unwrap(),
        Asked::KeyReused
    );
    stage.run().await;
    stage.refunded(order).await;
    assert_eq!(stage.order(order).await.state, State::Refunded);
    stage.audit(order).await;
    let hold = stage.world.books().holds[&order].0;
    assert_eq!(hold, contracts::inventory::ReservationState::Restocked);
}
