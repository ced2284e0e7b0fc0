//! Placing orders: what is refused changes nothing, one key is one order.

use contracts::UserId;
use futures::future::join_all;
use order::domain::Refusal;
use order::{AppError, CreateOrder, Created};

use crate::stage::Stage;
use crate::world::Fault;

async fn orders(stage: &Stage) -> i64 {
    sqlx::query_scalar("SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM idempotency_key)")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn refusals_change_nothing() {
    let stage = Stage::new().await;
    let mug = stage.world.variant(5);
    let own = stage.world.cart(Some(stage.user), &[(mug, 2)]);
    let others = stage.world.cart(Some(UserId::generate()), &[(mug, 1)]);
    let empty = stage.world.cart(Some(stage.user), &[]);
    let refused = async |request: CreateOrder| match stage.app.create_order(request).await.unwrap() {
        Created::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    let ask = |cart| stage.request(cart, "pm_card_visa", "refusals-1");
    assert_eq!(
        refused(ask(contracts::CartId::generate())).await,
        Refusal::CartNotFound
    );
    assert_eq!(refused(ask(others)).await, Refusal::CartNotFound);
    assert_eq!(refused(ask(empty)).await, Refusal::CartEmpty);
    let old = CreateOrder {
        cart_version: Some(2),
        ..ask(own)
    };
    assert!(matches!(refused(old).await, Refusal::CartChanged(_)));
    for total in ["9.99", "10.001", "99999999999999999999"] {
        let other = CreateOrder {
            expected_total: Some(total.parse().unwrap()),
            ..ask(own)
        };
        assert!(matches!(
            refused(other).await,
            Refusal::PriceChanged { now_minor: 1000, .. }
        ));
    }
    stage
        .world
        .books()
        .variants
        .get_mut(&mug)
        .unwrap()
        .price
        .amount_minor = 600;
    assert!(matches!(
        refused(ask(own)).await,
        Refusal::PriceChanged { now_minor: 1200, .. }
    ));
    stage.world.books().variants.remove(&mug);
    assert!(matches!(refused(ask(own)).await, Refusal::CartChanged(_)));
    assert_eq!(orders(&stage).await, 0);
}

#[tokio::test]
async fn a_service_that_does_not_answer_leaves_nothing_and_the_same_key_works_later() {
    let stage = Stage::new().await;
    let cart = stage.mugs(5, 2);
    let ask = || CreateOrder {
        expected_total: Some("10.00".parse().unwrap()),
        ..stage.request(cart, "pm_card_visa", "outage-1")
    };
    for call in ["cart", "lookup"] {
        stage.world.fault(call, Fault::Lost);
        let failed = stage.app.create_order(ask()).await;
        assert!(matches!(failed, Err(AppError::Unavailable(_))), "{call}");
    }
    assert_eq!(orders(&stage).await, 0);
    assert!(matches!(
        stage.app.create_order(ask()).await.unwrap(),
        Created::Order(_)
    ));
}

#[tokio::test]
async fn one_key_is_one_order() {
    let stage = Stage::new().await;
    let cart = stage.mugs(100, 1);
    let ask = || stage.request(cart, "pm_card_visa", "same-key-1");
    let answers = join_all((0..50).map(|_| stage.app.create_order(ask()))).await;
    let first = answers[0].as_ref().unwrap().clone();
    assert!(matches!(first, Created::Order(_)));
    for answer in answers {
        assert_eq!(answer.unwrap(), first);
    }
    stage.app.empty_carts().await.unwrap();
    assert_eq!(
        stage.app.create_order(ask()).await.unwrap(),
        first,
        "also when the cart is gone"
    );
    let other = CreateOrder {
        payment_method: "pm_card_mastercard".to_owned(),
        ..ask()
    };
    assert_eq!(stage.app.create_order(other).await.unwrap(), Created::KeyReused);
    let stranger = CreateOrder {
        user: UserId::generate(),
        ..ask()
    };
    assert_eq!(
        stage.app.create_order(stranger).await.unwrap(),
        Created::Refused(Refusal::CartNotFound),
        "a key belongs to its user"
    );
    let placed: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(placed, 1);
}

#[tokio::test]
async fn a_guests_cart_is_bought_by_who_holds_it() {
    let stage = Stage::new().await;
    let mug = stage.world.variant(5);
    let cart = stage.world.cart(None, &[(mug, 1), (mug, 2)]);
    let request = stage.request(cart, "pm_card_visa", "guest-cart-1");
    let Created::Order(order) = stage.app.create_order(request).await.unwrap() else {
        panic!("not placed");
    };
    let lines = stage.app.lines(&[order]).await.unwrap().remove(&order).unwrap();
    assert_eq!(lines.len(), 1, "one variant is one line");
    assert_eq!(lines[0].quantity, 3);
    assert_eq!(stage.order(order).await.number.to_string(), "M-100001");
}
