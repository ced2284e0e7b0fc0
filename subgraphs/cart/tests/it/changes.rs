//! Making, filling and emptying a cart, and what its prices say.

use contracts::{Currency, Money, VariantId};
use serde_json::{Value, json};

use crate::stage::{Stage, codes, fault, wanted};

#[tokio::test]
async fn a_guest_fills_changes_and_empties_a_cart() {
    let stage = Stage::new().await;
    let (mug, tea) = (stage.catalogue.variant(1499), stage.catalogue.variant(650));
    let cart = stage.create(None, &[(mug, 2)]).await;
    assert_eq!((&cart["version"], &cart["totalQuantity"]), (&json!(1), &json!(2)));
    assert_eq!(
        cart["subtotal"],
        json!({"amount": "29.98", "currencyCode": "USD"})
    );
    assert_eq!(cart["lines"][0]["variant"]["id"], mug.to_string());

    let added = stage.add(None, &cart, &[(tea, 1), (mug, 1)], "k1").await;
    assert_eq!(added["cart"]["totalQuantity"], 4);
    assert_eq!(added["cart"]["subtotal"]["amount"], "51.47");
    assert_eq!(stage.read(None, &cart["id"]).await, added["cart"]);

    let line = &added["cart"]["lines"][0]["id"];
    let input = json!({"cartId": cart["id"], "lineId": line, "quantity": 1, "expectedVersion": 2});
    let set = stage.change(None, "setCartLineQuantity", input).await;
    assert_eq!(set["cart"]["subtotal"]["amount"], "21.49");
    let input = json!({"cartId": cart["id"], "lineId": line, "quantity": 0});
    let removed = stage.change(None, "setCartLineQuantity", input).await;
    assert_eq!(removed["cart"]["lines"].as_array().unwrap().len(), 1);
    let cleared = stage
        .change(None, "clearCart", json!({"cartId": cart["id"]}))
        .await;
    assert_eq!(
        (&cleared["cart"]["totalQuantity"], &cleared["cart"]["version"]),
        (&json!(0), &json!(5))
    );
    assert_eq!(
        cleared["cart"]["subtotal"],
        json!({"amount": "0.00", "currencyCode": "USD"})
    );
}

#[tokio::test]
async fn a_coupon_is_put_in_replaced_and_taken_out() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(1499);
    let cart = stage.create(None, &[(mug, 2)]).await;
    assert_eq!(cart["couponCode"], Value::Null);
    let apply = |code: &str| json!({"cartId": cart["id"], "code": code});
    let applied = stage.change(None, "applyCoupon", apply(" welcome-10 ")).await;
    assert_eq!(applied["cart"]["couponCode"], "WELCOME-10");
    assert_eq!(applied["cart"]["version"], 2);
    assert_eq!(applied["cart"]["subtotal"]["amount"], "29.98");
    let other = stage.change(None, "applyCoupon", apply("SPRING")).await;
    assert_eq!(other["cart"]["couponCode"], "SPRING");
    for wrong in ["", "AB", "50 % OFF", "A_B_C"] {
        let refused = stage.change(None, "applyCoupon", apply(wrong)).await;
        assert_eq!(codes(&refused), ["COUPON_INVALID"], "{wrong:?}");
    }
    assert_eq!(stage.read(None, &cart["id"]).await, other["cart"]);
    let removed = stage
        .change(None, "removeCoupon", json!({"cartId": cart["id"]}))
        .await;
    assert_eq!(
        (&removed["cart"]["couponCode"], &removed["cart"]["version"]),
        (&Value::Null, &json!(4))
    );
    stage.change(None, "applyCoupon", apply("SPRING")).await;
    let cleared = stage
        .change(None, "clearCart", json!({"cartId": cart["id"]}))
        .await;
    assert_eq!(cleared["cart"]["couponCode"], Value::Null);
}

#[tokio::test]
async fn a_key_makes_one_cart_and_adds_once() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let input =
        json!({"currencyCode": "USD", "lines": wanted(&[(mug, 1)]), "idempotencyKey": "0123456789abcdef"});
    let first = stage.change(None, "createCart", input.clone()).await;
    assert_eq!(stage.change(None, "createCart", input.clone()).await, first);
    let mut other = input;
    other["currencyCode"] = json!("EUR");
    assert_eq!(
        codes(&stage.change(None, "createCart", other).await),
        ["IDEMPOTENCY_KEY_REUSED"]
    );

    let cart = &first["cart"];
    let added = stage.add(None, cart, &[(mug, 2)], "k").await;
    assert_eq!(added["cart"]["totalQuantity"], 3);
    assert_eq!(stage.add(None, cart, &[(mug, 2)], "k").await, added);
    assert_eq!(
        codes(&stage.add(None, cart, &[(mug, 3)], "k").await),
        ["IDEMPOTENCY_KEY_REUSED"]
    );

    let ghost = VariantId::generate();
    assert_eq!(
        codes(&stage.add(None, cart, &[(ghost, 1)], "g").await),
        ["VARIANT_UNAVAILABLE"]
    );
    stage.catalogue.set(ghost, Money::new(1, Currency::USD), true);
    assert_eq!(
        codes(&stage.add(None, cart, &[(ghost, 1)], "g").await),
        ["VARIANT_UNAVAILABLE"],
        "as the first time"
    );
    assert_eq!(codes(&stage.add(None, cart, &[(ghost, 1)], "h").await), [""; 0]);
}

#[tokio::test]
async fn a_users_key_is_their_own() {
    let stage = Stage::new().await;
    let ((_, ann), (_, ben)) = (stage.shopper(), stage.shopper());
    let input = json!({"currencyCode": "USD", "lines": [], "idempotencyKey": "same-key"});
    let anns = stage.change(Some(&ann), "createCart", input.clone()).await;
    let bens = stage.change(Some(&ben), "createCart", input).await;
    assert_ne!(anns["cart"]["id"], bens["cart"]["id"]);
}

#[tokio::test]
async fn refusals_name_what_is_wrong_and_change_nothing() {
    let stage = Stage::new().await;
    let (mug, ended, euro) = (
        stage.catalogue.variant(100),
        VariantId::generate(),
        VariantId::generate(),
    );
    stage.catalogue.set(ended, Money::new(1, Currency::USD), false);
    stage.catalogue.set(euro, Money::new(1, Currency::EUR), true);
    let cart = stage.create(None, &[(mug, 1)]).await;
    let lines = [
        (mug, 0),
        (mug, -1),
        (mug, 1000),
        (mug, i32::MAX),
        (ended, 1),
        (VariantId::generate(), 1),
        (euro, 1),
    ];
    let refused = stage.add(None, &cart, &lines, "k1").await;
    assert_eq!(
        codes(&refused),
        [
            "QUANTITY_INVALID",
            "QUANTITY_INVALID",
            "QUANTITY_INVALID",
            "QUANTITY_INVALID",
            "VARIANT_UNAVAILABLE",
            "VARIANT_UNAVAILABLE",
            "CURRENCY_MISMATCH"
        ]
    );
    assert_eq!(
        refused["userErrors"][4]["field"],
        json!(["input", "lines", "4", "variantId"])
    );
    assert_eq!(refused["cart"], Value::Null);

    let many: Vec<_> = (0..201).map(|_| (mug, 1)).collect();
    assert_eq!(
        codes(&stage.add(None, &cart, &many, "k2").await),
        ["TOO_MANY_LINES"]
    );
    let stale = json!({"cartId": cart["id"], "lines": wanted(&[(mug, 1)]), "expectedVersion": 7, "idempotencyKey": "k3"});
    assert_eq!(
        codes(&stage.change(None, "addCartLines", stale).await),
        ["VERSION_CONFLICT"]
    );
    let nobody =
        json!({"cartId": cart["id"], "lineId": contracts::CartLineId::generate().to_string(), "quantity": 1});
    assert_eq!(
        codes(&stage.change(None, "setCartLineQuantity", nobody).await),
        ["LINE_NOT_FOUND"]
    );
    let elsewhere = json!({"id": contracts::CartId::generate().to_string()});
    assert_eq!(
        codes(&stage.add(None, &elsewhere, &[(mug, 1)], "k4").await),
        ["CART_NOT_FOUND"]
    );
    assert_eq!(stage.read(None, &cart["id"]).await, cart);
}

#[tokio::test]
async fn nonsense_is_bad_input() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let cart = stage.create(None, &[]).await;
    let add = |lines: Value, key: &str| json!({"cartId": cart["id"], "lines": lines, "idempotencyKey": key});
    for input in [
        add(json!([]), "k"),
        add(wanted(&[(mug, 1)]), ""),
        add(json!([{"variantId": "prod_1", "quantity": 1}]), "k"),
        json!({"cartId": "not an id", "lines": wanted(&[(mug, 1)]), "idempotencyKey": "k"}),
    ] {
        assert_eq!(
            fault(&stage.change(None, "addCartLines", input.clone()).await),
            "BAD_USER_INPUT",
            "{input}"
        );
    }
    let short = json!({"currencyCode": "USD", "idempotencyKey": "guessable"});
    assert_eq!(
        fault(&stage.change(None, "createCart", short).await),
        "BAD_USER_INPUT"
    );
}

#[tokio::test]
async fn a_cart_holds_two_hundred_lines_and_asks_for_them_at_once() {
    let stage = Stage::new().await;
    let lines: Vec<_> = (0..200).map(|_| (stage.catalogue.variant(5), 1)).collect();
    let cart = stage.create(None, &lines).await;
    assert_eq!(cart["subtotal"]["amount"], "10.00");
    let before = stage.catalogue.calls();
    assert_eq!(
        stage.read(None, &cart["id"]).await["lines"]
            .as_array()
            .unwrap()
            .len(),
        200
    );
    assert_eq!(stage.catalogue.calls() - before, 1);
    let one_more = stage
        .add(None, &cart, &[(stage.catalogue.variant(5), 1)], "k")
        .await;
    assert_eq!(codes(&one_more), ["TOO_MANY_LINES"]);
}

#[tokio::test]
async fn prices_are_todays_and_a_change_is_flagged() {
    let stage = Stage::new().await;
    let (mug, tea) = (stage.catalogue.variant(100), stage.catalogue.variant(10));
    let cart = stage.create(None, &[(mug, 2)]).await;
    stage.catalogue.set(mug, Money::new(150, Currency::USD), true);
    for _ in 0..2 {
        let seen = stage.read(None, &cart["id"]).await;
        assert_eq!(
            seen["lines"][0]["priceChanged"], true,
            "reading does not make it seen"
        );
        assert_eq!(seen["subtotal"]["amount"], "3.00");
    }
    let added = stage.add(None, &cart, &[(tea, 1)], "k").await;
    assert_eq!(
        added["cart"]["lines"][0]["priceChanged"], true,
        "told once more with the change"
    );
    assert_eq!(
        stage.read(None, &cart["id"]).await["lines"][0]["priceChanged"],
        false
    );

    stage.catalogue.set(mug, Money::new(150, Currency::USD), false);
    let ended = stage.read(None, &cart["id"]).await;
    assert_eq!(ended["lines"][0]["isAvailable"], false);
    assert_eq!(ended["lines"][0]["unitPrice"]["amount"], "1.50");
}

#[tokio::test]
async fn a_cart_lives_as_long_as_it_is_used() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let (_, ann) = stage.shopper();
    let mut redis = stage.redis.connection().await;
    for (token, days) in [(None, 14), (Some(ann.as_str()), 90)] {
        let cart = stage.create(token, &[]).await;
        let key = format!("{}cart:{}", stage.redis.prefix, cart["id"].as_str().unwrap());
        let _: () = redis::cmd("PEXPIRE")
            .arg(&key)
            .arg(60_000)
            .query_async(&mut redis)
            .await
            .unwrap();
        stage.read(token, &cart["id"]).await;
        let left: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert!(left <= 60_000, "reading keeps nothing alive");
        let added = stage.add(token, &cart, &[(mug, 1)], "k").await;
        let left: i64 = redis::cmd("TTL").arg(&key).query_async(&mut redis).await.unwrap();
        assert!((days * 86_400 - 60..=days * 86_400).contains(&left), "{left}");
        let until: chrono::DateTime<chrono::Utc> =
            serde_json::from_value(added["cart"]["expiresAt"].clone()).unwrap();
        let lifetime = until - stage.clock.now();
        assert!((lifetime.num_seconds() - days * 86_400).abs() < 60);
    }
}
