//! Returns: parts of an order's money and units that come back, each once and never more than there was.

mod lost;

use std::time::Duration;

use contracts::payment::{PaymentState, RefundCompleted};
use contracts::{Currency, EventId, Money, OrderId};
use futures::future::join_all;
use order::domain::State;
use order::domain::returns::{MoneyBack, ReturnProblem, ReturnStatus, UnitsBack, Wanted, WantedLine};
use order::{Asked, Created, Key, RefundOrder, ReturnOrder};
use serde_json::{Value, json};

use crate::coupons::coupon;
use crate::graph::{Graph, code};
use crate::stage::Stage;

const RETURN: &str = "mutation($input: ReturnLinesInput!) { returnLines(input: $input) {
    order { id status returns { number } } userErrors { code message field } } }";
const AMOUNT: &str = "mutation($input: RefundAmountInput!) { refundAmount(input: $input) {
    order { id } userErrors { code message field } } }";
const SHOWN: &str = "query($id: ID!) { order(id: $id) { status refundedAmount { amount currencyCode }
    lines { id quantity returnedQuantity }
    returns { id number status isRefunded amount { amount } endedAt lines { lineId title sku quantity restock } } } }";

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn key(text: &str) -> Key {
    Key {
        principal: "usr_staff".to_owned(),
        key: text.to_owned(),
    }
}

/// An order of `quantity` mugs at 5.00, paid.
async fn bought(stage: &Stage, quantity: u32) -> OrderId {
    let cart = stage.mugs(50, quantity);
    let request = stage.request(cart, "pm_card_visa", &EventId::generate().to_string());
    paid(stage, request).await
}

async fn paid(stage: &Stage, request: order::CreateOrder) -> OrderId {
    let Created::Order(order) = stage.app.create_order(request).await.unwrap() else {
        panic!("not placed")
    };
    stage.run().await;
    stage.capture(order).await;
    stage.run().await;
    assert_eq!(stage.order(order).await.state, State::Paid);
    order
}

fn mugs(order: OrderId, quantity: u32, restock: bool) -> ReturnOrder {
    let line = WantedLine {
        line_no: 1,
        quantity,
        restock,
    };
    ReturnOrder {
        order,
        wanted: Wanted::Lines(vec![line]),
        note: "too blue".to_owned(),
    }
}

fn amount(order: OrderId, minor: i64) -> ReturnOrder {
    ReturnOrder {
        order,
        wanted: Wanted::Amount(usd(minor)),
        note: "a scratch".to_owned(),
    }
}

async fn ask(stage: &Stage, request: ReturnOrder) -> Asked {
    let new = key(&EventId::generate().to_string());
    stage.app.return_order(request, &new).await.unwrap()
}

/// Carries returns as far as they come; waits for a backoff or a lost lease don't matter.
async fn carry(stage: &Stage) {
    for _ in 0..20 {
        make_due(stage).await;
        if stage.app.run_returns().await.unwrap() == 0 {
            return;
        }
    }
    panic!("the returns never come to rest");
}

/// Ends the waits of returns, but not of those whose refund payment has accepted.
async fn make_due(stage: &Stage) {
    let due = "UPDATE order_return SET next_run_at = now() - interval '1 second'
               WHERE next_run_at IS NOT NULL AND (money <> 'ASKED' OR units = 'DUE')";
    sqlx::query(due).execute(&stage.db.pool).await.unwrap();
}

/// Payment tells that a refund is through.
async fn told(stage: &Stage, order: OrderId, reason: &str) {
    let event = {
        let books = stage.world.books();
        let named = (order, reason.to_owned());
        let payment = &books.payments[&order];
        RefundCompleted {
            refund_id: books.refunds[&named],
            payment_id: payment.id,
            order_id: order,
            amount: usd(books.sent_back[&named]),
            reason: reason.to_owned(),
            fully_refunded: payment.state == PaymentState::Refunded,
        }
    };
    stage.deliver(event).await;
}

/// How the order's returns stand.
async fn stand(stage: &Stage, order: OrderId) -> Vec<(i64, MoneyBack, UnitsBack, bool)> {
    let returns = stage
        .app
        .returns(&[order])
        .await
        .unwrap()
        .remove(&order)
        .unwrap_or_default();
    returns
        .iter()
        .map(|back| {
            let state = &back.state;
            assert_eq!(state.ended_at.is_some(), state.status() == ReturnStatus::Done);
            (
                state.amount.amount_minor,
                state.money,
                state.units,
                state.needs_attention,
            )
        })
        .collect()
}

fn on_shelf(stage: &Stage, order: OrderId) -> i64 {
    let books = stage.world.books();
    let sku = &books.holds[&order].1.lines[0].sku;
    books.shelf[sku]
}

#[tokio::test]
async fn three_are_bought_one_comes_back_then_two_then_none() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = bought(&stage, 3).await;
    let line = format!("{order}.1");
    let input = |quantity: i32, restock: bool, key: &str| {
        json!({ "input": { "orderId": order.to_string(), "reason": "too blue", "idempotencyKey": key,
            "lines": [{ "lineId": line, "quantity": quantity, "restock": restock }] } })
    };
    let first = graph
        .ask(&graph.staff, RETURN, input(1, true, "return-one"))
        .await;
    assert_eq!(first["data"]["returnLines"]["userErrors"], json!([]), "{first}");
    carry(&stage).await;
    assert_eq!(on_shelf(&stage, order), 48);
    let seen = graph
        .ask(&graph.own, SHOWN, json!({ "id": order.to_string() }))
        .await;
    let shown = &seen["data"]["order"];
    assert_eq!(shown["returns"][0]["status"], "RESTOCKED", "{seen}");
    assert_eq!(shown["refundedAmount"]["amount"], "0.00");
    told(&stage, order, "return_1").await;
    told(&stage, order, "return_1").await;

    let second = graph
        .ask(&graph.staff, RETURN, input(2, false, "return-two"))
        .await;
    assert_eq!(second["data"]["returnLines"]["userErrors"], json!([]), "{second}");
    carry(&stage).await;
    told(&stage, order, "return_2").await;
    let third = graph
        .ask(&graph.staff, RETURN, input(1, true, "return-three"))
        .await;
    let refused = &third["data"]["returnLines"]["userErrors"][0];
    assert_eq!(
        (&refused["code"], &refused["field"]),
        (
            &json!("RETURN_EXCEEDS_ORDER"),
            &json!(["input", "lines", "0", "quantity"])
        )
    );
    let again = graph
        .ask(&graph.staff, RETURN, input(1, true, "return-one"))
        .await;
    assert_eq!(
        again["data"]["returnLines"]["userErrors"],
        json!([]),
        "the same request"
    );

    assert_eq!(on_shelf(&stage, order), 48, "the others are not for sale");
    let seen = graph
        .ask(&graph.own, SHOWN, json!({ "id": order.to_string() }))
        .await;
    let shown = &seen["data"]["order"];
    assert_eq!(shown["status"], "PAID", "its own returns never move an order");
    assert_eq!(
        shown["refundedAmount"],
        json!({ "amount": "15.00", "currencyCode": "USD" })
    );
    assert_eq!(
        (
            &shown["lines"][0]["quantity"],
            &shown["lines"][0]["returnedQuantity"]
        ),
        (&json!(3), &json!(3))
    );
    let amounts: Vec<_> = shown["returns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|back| &back["amount"]["amount"])
        .collect();
    assert_eq!(amounts, ["5.00", "10.00"]);
    assert!(
        shown["returns"]
            .as_array()
            .unwrap()
            .iter()
            .all(|back| back["status"] == "DONE" && back["isRefunded"] == true)
    );
    assert_eq!(shown["returns"][1]["lines"][0]["restock"], false);
    assert_eq!(stage.world.books().sent_back.values().sum::<i64>(), 1500);
}

#[tokio::test]
async fn a_coupon_is_taken_off_what_goes_back_to_the_last_cent() {
    let stage = Stage::new().await;
    let off = json!({ "amount": "1.00", "currencyCode": "USD" });
    let one = coupon(&stage, json!({ "code": "ONE-OFF", "amountOff": off })).await;
    let cart = stage.mugs(5, 3);
    stage.world.apply_coupon(cart, &one);
    let order = paid(&stage, stage.request(cart, "pm_card_visa", "with-a-coupon")).await;
    for _ in 0..3 {
        assert_eq!(ask(&stage, mugs(order, 1, true)).await, Asked::Done);
    }
    carry(&stage).await;
    let amounts: Vec<_> = stand(&stage, order).await.iter().map(|back| back.0).collect();
    assert_eq!(amounts, [466, 467, 467]);
    assert_eq!(stage.world.books().payments[&order].state, PaymentState::Refunded);
}

#[tokio::test]
async fn amounts_and_lines_share_what_was_paid() {
    let stage = Stage::new().await;
    let order = bought(&stage, 2).await;
    assert_eq!(ask(&stage, amount(order, 700)).await, Asked::Done);
    let left = usd(300);
    let too_much = ask(&stage, amount(order, 301)).await;
    assert_eq!(too_much, Asked::NotReturned(ReturnProblem::TooMuchMoney { left }));
    assert_eq!(ask(&stage, mugs(order, 2, true)).await, Asked::Done);
    carry(&stage).await;
    assert_eq!(on_shelf(&stage, order), 50);
    let sums: Vec<_> = stand(&stage, order).await.iter().map(|back| back.0).collect();
    assert_eq!(sums, [700, 300]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_returns_at_once_never_exceed_what_was_bought() {
    let stage = Stage::new().await;
    let order = bought(&stage, 20).await;
    let replica = stage.replica();
    let requests = (0..50).map(|n| {
        let app = if n % 2 == 0 { &stage.app } else { &replica };
        let request = if n % 5 == 0 {
            amount(order, 700)
        } else {
            mugs(order, 1, n % 3 == 0)
        };
        async move {
            app.return_order(request, &key(&format!("at-once-{n}")))
                .await
                .unwrap()
        }
    });
    let answers = join_all(requests).await;
    let refused = answers
        .iter()
        .filter(|asked| matches!(asked, Asked::NotReturned(_)))
        .count();
    let done = answers.iter().filter(|asked| **asked == Asked::Done).count();
    assert_eq!(done + refused, 50, "{answers:?}");
    carry(&stage).await;
    let (units, minor): (i32, i64) = sqlx::query_as(
        "SELECT returned, returned_minor FROM order_line JOIN orders ON id = order_id WHERE order_id = $1",
    )
    .bind(order.uuid())
    .fetch_one(&stage.db.pool)
    .await
    .unwrap();
    assert!(units <= 20 && minor <= 10_000, "{units} units, {minor}");
    let promised: i64 = stand(&stage, order).await.iter().map(|back| back.0).sum();
    assert_eq!(promised, minor);
    assert_eq!(stage.world.books().sent_back.values().sum::<i64>(), minor);
    assert!(
        stand(&stage, order).await.iter().all(|back| !back.3),
        "nothing was refused for good"
    );
}

#[tokio::test]
async fn a_key_is_good_for_one_request() {
    let stage = Stage::new().await;
    let order = bought(&stage, 3).await;
    let once = key("once-and-again");
    for _ in 0..3 {
        assert_eq!(
            stage.app.return_order(mugs(order, 1, true), &once).await.unwrap(),
            Asked::Done
        );
    }
    assert_eq!(
        stage.app.return_order(mugs(order, 2, true), &once).await.unwrap(),
        Asked::KeyReused
    );
    assert_eq!(stand(&stage, order).await.len(), 1);
    // A refusal leaves the key free.
    let free = key("refused-first");
    let refused = stage.app.return_order(mugs(order, 3, true), &free).await.unwrap();
    assert!(
        matches!(
            refused,
            Asked::NotReturned(ReturnProblem::TooManyUnits { left: 2, .. })
        ),
        "{refused:?}"
    );
    assert_eq!(
        stage.app.return_order(mugs(order, 2, true), &free).await.unwrap(),
        Asked::Done
    );
    let nobody = stage
        .app
        .return_order(mugs(OrderId::generate(), 1, true), &key("of-nobody"))
        .await
        .unwrap();
    assert_eq!(nobody, Asked::NotFound);
}

#[tokio::test]
async fn the_rest_is_refunded_once_nothing_is_under_way() {
    let stage = Stage::new().await;
    let order = bought(&stage, 3).await;
    let refund = |restock, text: &str| {
        let request = RefundOrder {
            order,
            note: "all of it".to_owned(),
            restock,
        };
        let key = key(text);
        let app = stage.app.clone();
        async move { app.refund_order(request, &key).await.unwrap() }
    };
    assert_eq!(ask(&stage, mugs(order, 1, false)).await, Asked::Done);
    assert_eq!(
        refund(false, "too-early").await,
        Asked::NotReturned(ReturnProblem::UnderWay)
    );
    carry(&stage).await;
    told(&stage, order, "return_1").await;
    let kept_off = refund(true, "with-restock").await;
    assert_eq!(kept_off, Asked::NotReturned(ReturnProblem::NotForSale));
    assert_eq!(refund(false, "the-rest").await, Asked::Done);
    let late = ask(&stage, mugs(order, 1, true)).await;
    assert_eq!(late, Asked::NotReturned(ReturnProblem::WrongState));
    stage.run().await;
    told(&stage, order, "operator").await;
    let shown = stage.order(order).await;
    assert_eq!(shown.state, State::Refunded);
    let books = stage.world.books();
    assert_eq!(books.sent_back[&(order, "operator".to_owned())], 1000);
    assert_eq!(books.payments[&order].state, PaymentState::Refunded);
}

#[tokio::test]
async fn an_order_whose_money_is_all_back_is_not_refunded_again() {
    let stage = Stage::new().await;
    let order = bought(&stage, 1).await;
    assert_eq!(ask(&stage, mugs(order, 1, true)).await, Asked::Done);
    carry(&stage).await;
    told(&stage, order, "return_1").await;
    let request = RefundOrder {
        order,
        note: "again".to_owned(),
        restock: true,
    };
    let left = usd(0);
    assert_eq!(
        stage
            .app
            .refund_order(request, &key("all-back-already"))
            .await
            .unwrap(),
        Asked::NotReturned(ReturnProblem::TooMuchMoney { left })
    );
}

#[tokio::test]
async fn what_staff_see_and_what_others_do() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = bought(&stage, 3).await;
    let id = order.to_string();
    let input = |lines: Value| json!({ "input": { "orderId": id, "reason": "why", "idempotencyKey": EventId::generate().to_string(), "lines": lines } });
    let one = json!([{ "lineId": format!("{id}.1"), "quantity": 1 }]);
    for token in [&graph.own, &graph.stranger] {
        let refused = graph.ask(token, RETURN, input(one.clone())).await;
        assert_eq!(code(&refused), "FORBIDDEN");
    }
    let foreign = json!([{ "lineId": format!("{}.1", OrderId::generate()), "quantity": 1 }]);
    let refused = graph.ask(&graph.staff, RETURN, input(foreign)).await;
    assert_eq!(
        refused["data"]["returnLines"]["userErrors"][0]["code"], "NOT_FOUND",
        "{refused}"
    );
    assert_eq!(
        code(&graph.ask(&graph.staff, RETURN, input(json!([]))).await),
        "BAD_USER_INPUT"
    );
    let dear = json!({ "input": { "orderId": id, "reason": "why", "idempotencyKey": "too-dear-1",
        "amount": { "amount": "15.01", "currencyCode": "USD" } } });
    let refused = graph.ask(&graph.staff, AMOUNT, dear).await;
    assert_eq!(
        refused["data"]["refundAmount"]["userErrors"][0]["code"], "REFUND_EXCEEDS_PAYMENT",
        "{refused}"
    );
    assert_eq!(
        refused["data"]["refundAmount"]["userErrors"][0]["message"],
        "Only 15.00 USD of what was paid is left"
    );

    let preview = "query($id: ID!, $lines: [ReturnLineInput!]!) { order(id: $id) {
        returnableAmount { amount } returnPreview(lines: $lines) { amount } } }";
    let two = json!([{ "lineId": format!("{id}.1"), "quantity": 2 }]);
    let seen = graph
        .ask(&graph.staff, preview, json!({ "id": id, "lines": two }))
        .await;
    assert_eq!(
        seen["data"]["order"],
        json!({ "returnableAmount": { "amount": "15.00" }, "returnPreview": { "amount": "10.00" } })
    );
    let four = json!([{ "lineId": format!("{id}.1"), "quantity": 4 }]);
    let seen = graph
        .ask(&graph.staff, preview, json!({ "id": id, "lines": four }))
        .await;
    assert_eq!(seen["data"]["order"]["returnPreview"], Value::Null);
    let hidden = graph
        .ask(&graph.own, preview, json!({ "id": id, "lines": one }))
        .await;
    assert_eq!(code(&hidden), "FORBIDDEN");

    assert_eq!(ask(&stage, mugs(order, 1, true)).await, Asked::Done);
    let note = "query($id: ID!) { order(id: $id) { returns { number reason } } }";
    let seen = graph.ask(&graph.staff, note, json!({ "id": id })).await;
    assert_eq!(
        seen["data"]["order"]["returns"],
        json!([{ "number": 1, "reason": "too blue" }])
    );
    let own = graph.ask(&graph.own, note, json!({ "id": id })).await;
    assert_eq!(
        own["data"]["order"]["returns"],
        json!([{ "number": 1, "reason": null }])
    );
    assert_eq!(code(&own), "FORBIDDEN");
}

/// The worker wakes by itself.
#[tokio::test]
async fn a_running_process_carries_a_return_to_its_end() {
    let stage = Stage::new().await;
    let order = bought(&stage, 2).await;
    let (app, host) = stage.running();
    let asked = app
        .return_order(mugs(order, 1, true), &key("by-itself-1"))
        .await
        .unwrap();
    assert_eq!(asked, Asked::Done);
    let done = async {
        while stand(&stage, order).await != [(500, MoneyBack::Asked, UnitsBack::Done, false)] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), done).await.unwrap();
    host.shutdown.cancel();
}
