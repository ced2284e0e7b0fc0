//! Coupons: spent with their order, given back with its cancellation, never spent twice.

use contracts::{CouponCode, OrderId, UserId};
use futures::future::join_all;
use order::domain::coupon::CouponProblem;
use order::domain::{Refusal, State};
use order::{CreateOrder, Created};
use serde_json::{Value, json};

use crate::graph::{Graph, code};
use crate::stage::Stage;

const CREATE: &str = "mutation($input: CreateCouponInput!) { createCoupon(input: $input) {
    coupon { code percentOff amountOff { amount currencyCode } minimumSubtotal { amount } startsAt endsAt
        maxRedemptions maxRedemptionsPerUser redemptions isActive }
    userErrors { code message field } } }";
const END: &str = "mutation($input: EndCouponInput!) { endCoupon(input: $input) {
    coupon { code isActive } userErrors { code field } } }";
const CART: &str = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Cart {
    id coupon { code discount { amount } total { amount currencyCode } problem message } } } }";

/// A coupon of this code and these limits, made as an administrator would.
pub(crate) async fn coupon(stage: &Stage, mut input: Value) -> CouponCode {
    if input["amountOff"].is_null() {
        input["percentOff"] = json!(10);
    }
    let graph = Graph::new(stage);
    let made = graph.ask(&graph.admin, CREATE, json!({ "input": input })).await;
    let payload = &made["data"]["createCoupon"];
    assert_eq!(payload["userErrors"], json!([]), "{made}");
    payload["coupon"]["code"].as_str().unwrap().parse().unwrap()
}

/// A checkout of two mugs for 10.00 with a coupon, by a user of its own.
fn buy(stage: &Stage, user: UserId, code: &CouponCode, key: &str) -> CreateOrder {
    let mug = stage.world.variant(5);
    let cart = stage.world.cart(Some(user), &[(mug, 2)]);
    stage.world.apply_coupon(cart, code);
    CreateOrder {
        user,
        ..stage.request(cart, "pm_card_visa", key)
    }
}

pub(crate) async fn placed(stage: &Stage, code: &CouponCode, key: &str) -> OrderId {
    match stage
        .app
        .create_order(buy(stage, stage.user, code, key))
        .await
        .unwrap()
    {
        Created::Order(order) => order,
        other => panic!("{other:?}"),
    }
}

/// The coupon's counter, and the redemptions that are not given back: always the same.
async fn redeemed(stage: &Stage, code: &CouponCode) -> i64 {
    let (counted, rows): (i32, i64) = sqlx::query_as(
        "SELECT redeemed, (SELECT count(*) FROM coupon_redemption AS r
             WHERE r.code = coupon.code AND given_back_at IS NULL)
         FROM coupon WHERE code = $1",
    )
    .bind(code.as_str())
    .fetch_one(&stage.db.pool)
    .await
    .unwrap();
    assert_eq!(i64::from(counted), rows);
    rows
}

#[tokio::test]
async fn an_order_is_paid_less_its_coupon() {
    let stage = Stage::new().await;
    let ten = coupon(&stage, json!({ "code": "ten" })).await;
    let agreed = CreateOrder {
        expected_total: Some("9.00".parse().unwrap()),
        ..buy(&stage, stage.user, &ten, "agreed-1")
    };
    let Created::Order(order) = stage.app.create_order(agreed).await.unwrap() else {
        panic!("not placed")
    };
    stage.run().await;
    assert_eq!(stage.world.books().payments[&order].amount.amount_minor, 900);
    let shown = stage.order(order).await;
    assert_eq!(
        (shown.subtotal().amount_minor, shown.total.amount_minor),
        (1000, 900)
    );
    let discount = shown.discount.unwrap();
    assert_eq!((&discount.code, discount.amount.amount_minor), (&ten, 100));
    assert_eq!(redeemed(&stage, &ten).await, 1);
    let graph = Graph::new(&stage);
    let query = "query($id: ID!) { order(id: $id) { subtotal { amount } discount { code amount { amount } } total { amount } } }";
    let seen = graph
        .ask(&graph.own, query, json!({ "id": order.to_string() }))
        .await;
    assert_eq!(
        seen["data"]["order"],
        json!({ "subtotal": { "amount": "10.00" }, "total": { "amount": "9.00" },
            "discount": { "code": "TEN", "amount": { "amount": "1.00" } } })
    );
}

#[tokio::test]
async fn a_coupon_that_gives_nothing_is_told_and_nothing_is_placed() {
    let stage = Stage::new().await;
    let once = coupon(&stage, json!({ "code": "ONCE", "maxRedemptionsPerUser": 1 })).await;
    let rich = json!({ "amount": "10.01", "currencyCode": "USD" });
    let large = coupon(&stage, json!({ "code": "LARGE", "minimumSubtotal": rich })).await;
    let euro = json!({ "amount": "1.00", "currencyCode": "EUR" });
    let euro = coupon(&stage, json!({ "code": "EURO", "amountOff": euro })).await;
    let later = coupon(
        &stage,
        json!({ "code": "LATER", "startsAt": "2100-01-01T00:00:00Z" }),
    )
    .await;
    let over = coupon(&stage, json!({ "code": "OVER" })).await;
    let graph = Graph::new(&stage);
    let ended = graph
        .ask(&graph.admin, END, json!({ "input": { "code": "over" } }))
        .await;
    assert_eq!(ended["data"]["endCoupon"]["coupon"]["isActive"], false, "{ended}");
    placed(&stage, &once, "once-0").await;
    let unknown = "NOBODY".parse().unwrap();
    for (code, problem) in [
        (&once, CouponProblem::UsedByYou),
        (&large, CouponProblem::BelowMinimum),
        (&euro, CouponProblem::OtherCurrency),
        (&later, CouponProblem::NotStarted),
        (&over, CouponProblem::Ended),
        (&unknown, CouponProblem::Unknown),
    ] {
        let request = buy(&stage, stage.user, code, &format!("refused-{code}"));
        let refused = stage.app.create_order(request).await.unwrap();
        assert_eq!(refused, Created::Refused(Refusal::Coupon(problem)));
    }
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(orders, 1);
}

#[tokio::test]
async fn a_hundred_buyers_spend_ten_coupons_ten_times() {
    let stage = Stage::new().await;
    let ten = coupon(&stage, json!({ "code": "TEN-OF-THEM", "maxRedemptions": 10 })).await;
    let replica = stage.replica();
    let requests: Vec<_> = (0..100)
        .map(|n| buy(&stage, UserId::generate(), &ten, &format!("crowd-{n:04}")))
        .collect();
    let answers = join_all(requests.into_iter().enumerate().map(|(n, request)| {
        let app = if n % 2 == 0 { &stage.app } else { &replica };
        app.create_order(request)
    }))
    .await;
    let (placed, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .map(Result::unwrap)
        .partition(|created| matches!(created, Created::Order(_)));
    assert_eq!((placed.len(), refused.len()), (10, 90));
    let used_up = Created::Refused(Refusal::Coupon(CouponProblem::UsedUp));
    assert!(refused.iter().all(|created| *created == used_up));
    assert_eq!(redeemed(&stage, &ten).await, 10);
}

#[tokio::test]
async fn one_user_at_fifty_checkouts_at_once_spends_theirs_once() {
    let stage = Stage::new().await;
    let own = coupon(&stage, json!({ "code": "OWN", "maxRedemptionsPerUser": 1 })).await;
    let requests: Vec<_> = (0..50)
        .map(|n| buy(&stage, stage.user, &own, &format!("own-{n:05}")))
        .collect();
    let answers = join_all(
        requests
            .into_iter()
            .map(|request| stage.app.create_order(request)),
    )
    .await;
    let placed = answers
        .into_iter()
        .filter(|answer| matches!(answer, Ok(Created::Order(_))))
        .count();
    assert_eq!(placed, 1);
    assert_eq!(redeemed(&stage, &own).await, 1);
}

#[tokio::test]
async fn one_key_spends_one_coupon_however_often_it_is_sent() {
    let stage = Stage::new().await;
    let ten = coupon(&stage, json!({ "code": "TEN" })).await;
    let request = buy(&stage, stage.user, &ten, "same-key-1");
    let answers = join_all((0..20).map(|_| stage.app.create_order(request.clone()))).await;
    for answer in &answers {
        assert_eq!(answer.as_ref().unwrap(), answers[0].as_ref().unwrap());
    }
    assert_eq!(redeemed(&stage, &ten).await, 1);
}

#[tokio::test]
async fn a_cancelled_order_gives_its_coupon_back_once_and_a_refunded_sale_does_not() {
    let stage = Stage::new().await;
    let last = coupon(&stage, json!({ "code": "LAST", "maxRedemptions": 1 })).await;
    let first = placed(&stage, &last, "give-back-1").await;
    let second = buy(&stage, stage.user, &last, "give-back-2");
    let refused = stage.app.create_order(second.clone()).await.unwrap();
    assert_eq!(refused, Created::Refused(Refusal::Coupon(CouponProblem::UsedUp)));
    stage.cancel(first).await;
    stage.run().await;
    assert_eq!(stage.order(first).await.state, State::Cancelled);
    assert_eq!(redeemed(&stage, &last).await, 0);
    let Created::Order(second) = stage.app.create_order(second).await.unwrap() else {
        panic!("given back, and not to be had")
    };
    stage.run().await;
    stage.capture(second).await;
    stage.run().await;
    assert_eq!(stage.order(second).await.state, State::Paid);
    stage.audit(second).await;
    let key = order::Key {
        principal: "staff".to_owned(),
        key: "refund-the-second".to_owned(),
    };
    let refund = order::RefundOrder {
        order: second,
        note: "broken".to_owned(),
        restock: true,
    };
    stage.app.refund_order(refund, &key).await.unwrap();
    stage.run().await;
    stage.refunded(second).await;
    stage.run().await;
    assert_eq!(stage.order(second).await.state, State::Refunded);
    assert_eq!(redeemed(&stage, &last).await, 1, "a sale has used it");
}

/// Late money of a cancelled order goes back, and its coupon is not given back a second time.
#[tokio::test]
async fn late_money_gives_nothing_back_twice() {
    let stage = Stage::new().await;
    let ten = coupon(&stage, json!({ "code": "TEN" })).await;
    let order = placed(&stage, &ten, "late-money-1").await;
    stage.app.step().await;
    stage.app.step().await;
    stage.cancel(order).await;
    stage.run().await;
    stage.capture(order).await;
    stage.run().await;
    stage.refunded(order).await;
    stage.run().await;
    assert_eq!(stage.order(order).await.state, State::Refunded);
    assert_eq!(redeemed(&stage, &ten).await, 0);
}

#[tokio::test]
async fn a_cart_is_told_what_its_coupon_does() {
    let stage = Stage::new().await;
    coupon(&stage, json!({ "code": "TEN", "maxRedemptionsPerUser": 1 })).await;
    let graph = Graph::new(&stage);
    let cart = |code: Value, amount: &str| {
        json!({ "__typename": "Cart", "id": contracts::CartId::generate().to_string(), "couponCode": code,
            "subtotal": { "amount": amount, "currencyCode": "USD" } })
    };
    let of = [
        cart(json!("TEN"), "29.98"),
        cart(json!("NOBODY"), "29.98"),
        cart(json!("TEN"), "0.00"),
        cart(Value::Null, "29.98"),
    ];
    let told = test_kit::graphql(graph.router(), None, CART, json!({ "of": of })).await;
    let coupons: Vec<_> = (0..4)
        .map(|n| told["data"]["_entities"][n]["coupon"].clone())
        .collect();
    assert_eq!(
        coupons[0],
        json!({ "code": "TEN", "discount": { "amount": "2.99" }, "problem": null, "message": null,
            "total": { "amount": "26.99", "currencyCode": "USD" } }),
        "{told}"
    );
    assert_eq!(
        (&coupons[1]["problem"], &coupons[1]["total"]["amount"]),
        (&json!("UNKNOWN"), &json!("29.98"))
    );
    assert_eq!(coupons[2]["problem"], "BELOW_MINIMUM");
    assert_eq!(coupons[3], Value::Null);
    placed(&stage, &"TEN".parse().unwrap(), "told-cart-1").await;
    for (token, problem) in [(&graph.own, json!("USED_BY_YOU")), (&graph.stranger, Value::Null)] {
        let told = graph.ask(token, CART, json!({ "of": [of[0]] })).await;
        assert_eq!(told["data"]["_entities"][0]["coupon"]["problem"], problem);
    }
}

#[tokio::test]
async fn coupons_are_made_by_administrators_and_seen_by_staff() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let input = json!({ "code": "spring-5", "amountOff": { "amount": "5.00", "currencyCode": "USD" },
        "minimumSubtotal": { "amount": "20.00", "currencyCode": "USD" }, "maxRedemptions": 100 });
    for token in [&graph.own, &graph.staff] {
        let refused = graph.ask(token, CREATE, json!({ "input": input })).await;
        assert_eq!(code(&refused), "FORBIDDEN");
        let refused = graph
            .ask(token, END, json!({ "input": { "code": "SPRING-5" } }))
            .await;
        assert_eq!(code(&refused), "FORBIDDEN");
    }
    let made = graph.ask(&graph.admin, CREATE, json!({ "input": input })).await;
    assert_eq!(
        made["data"]["createCoupon"]["coupon"]["amountOff"]["amount"], "5.00",
        "{made}"
    );
    let again = graph.ask(&graph.admin, CREATE, json!({ "input": input })).await;
    assert_eq!(
        again["data"]["createCoupon"]["userErrors"][0]["code"],
        "COUPON_EXISTS"
    );
    let none = graph
        .ask(&graph.admin, END, json!({ "input": { "code": "AUTUMN" } }))
        .await;
    assert_eq!(none["data"]["endCoupon"]["userErrors"][0]["code"], "NOT_FOUND");
    for wrong in [
        json!({ "code": "X Y Z", "percentOff": 10 }),
        json!({ "code": "XYZ" }),
        json!({ "code": "XYZ", "percentOff": 0 }),
        json!({ "code": "XYZ", "percentOff": 101 }),
        json!({ "code": "XYZ", "percentOff": 10, "amountOff": input["amountOff"] }),
        json!({ "code": "XYZ", "amountOff": { "amount": "0.00", "currencyCode": "USD" } }),
        json!({ "code": "XYZ", "percentOff": 10, "maxRedemptions": 0 }),
        json!({ "code": "XYZ", "percentOff": 10, "maxRedemptionsPerUser": -1 }),
        json!({ "code": "XYZ", "percentOff": 10, "endsAt": "2000-01-01T00:00:00Z" }),
        json!({ "code": "XYZ", "amountOff": input["amountOff"], "minimumSubtotal": { "amount": "1.00", "currencyCode": "EUR" } }),
    ] {
        let refused = graph.ask(&graph.admin, CREATE, json!({ "input": wrong })).await;
        assert_eq!(code(&refused), "BAD_USER_INPUT", "{wrong}");
    }
    coupon(&stage, json!({ "code": "AUTUMN" })).await;
    let list = "query($after: String) { coupons(first: 1, after: $after) { nodes { code redemptions }
        pageInfo { hasNextPage endCursor } } }";
    assert_eq!(code(&graph.ask(&graph.own, list, json!({})).await), "FORBIDDEN");
    let page = graph.ask(&graph.staff, list, json!({})).await;
    let page = &page["data"]["coupons"];
    assert_eq!(
        (&page["nodes"][0]["code"], &page["pageInfo"]["hasNextPage"]),
        (&json!("AUTUMN"), &json!(true))
    );
    let next = graph
        .ask(
            &graph.staff,
            list,
            json!({ "after": page["pageInfo"]["endCursor"] }),
        )
        .await;
    assert_eq!(
        next["data"]["coupons"]["nodes"],
        json!([{ "code": "SPRING-5", "redemptions": 0 }])
    );
}
