//! A guest signs in.

use serde_json::{Value, json};

use crate::stage::{Stage, codes, fault};

#[tokio::test]
async fn a_guest_cart_becomes_part_of_the_users() {
    let stage = Stage::new().await;
    let (mug, tea) = (stage.catalogue.variant(100), stage.catalogue.variant(10));
    let (ann_id, ann) = stage.shopper();
    let own = stage.create(Some(&ann), &[(mug, 1)]).await;
    let guest = stage.create(None, &[(mug, 2), (tea, 5)]).await;
    let apply = json!({"cartId": guest["id"], "code": "SPRING"});
    stage.change(None, "applyCoupon", apply).await;
    let input = json!({"guestCartId": guest["id"]});
    let merged = stage.change(Some(&ann), "mergeCart", input.clone()).await;
    assert_eq!(merged["cart"]["id"], own["id"]);
    assert_eq!(merged["cart"]["totalQuantity"], 8);
    assert_eq!(merged["cart"]["couponCode"], "SPRING", "the coupon comes along");
    assert_eq!(
        stage.read(None, &guest["id"]).await,
        Value::Null,
        "the guest cart is gone"
    );
    assert_eq!(
        stage.change(Some(&ann), "mergeCart", input).await,
        merged,
        "a repeat changes nothing"
    );
    let active = stage.active(Some(&ann), ann_id).await;
    assert_eq!(active["data"]["_entities"][0]["activeCart"]["totalQuantity"], 8);
    let own_again = stage
        .change(Some(&ann), "mergeCart", json!({"guestCartId": own["id"]}))
        .await;
    assert_eq!(own_again["cart"], merged["cart"]);
}

#[tokio::test]
async fn a_user_without_a_cart_gets_one() {
    let stage = Stage::new().await;
    let tea = stage.catalogue.variant(10);
    let (ann_id, ann) = stage.shopper();
    let guest = stage.create(None, &[(tea, 5)]).await;
    let merged = stage
        .change(Some(&ann), "mergeCart", json!({"guestCartId": guest["id"]}))
        .await;
    assert_ne!(
        merged["cart"]["id"], guest["id"],
        "who knew the guest's id does not know this one"
    );
    let active = stage.active(Some(&ann), ann_id).await;
    assert_eq!(
        active["data"]["_entities"][0]["activeCart"]["id"],
        merged["cart"]["id"]
    );
}

#[tokio::test]
async fn what_can_not_be_merged_is_left_alone() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let (_, ann) = stage.shopper();
    let nowhere = json!({"guestCartId": contracts::CartId::generate().to_string()});
    assert_eq!(
        codes(&stage.change(Some(&ann), "mergeCart", nowhere.clone()).await),
        ["CART_NOT_FOUND"]
    );
    assert_eq!(
        fault(&stage.change(None, "mergeCart", nowhere).await),
        "UNAUTHENTICATED"
    );
    let own = stage.create(Some(&ann), &[(mug, 1)]).await;
    let euros = json!({"currencyCode": "EUR", "idempotencyKey": "a-guest-with-euros"});
    let guest = stage.change(None, "createCart", euros).await["cart"].clone();
    let refused = stage
        .change(Some(&ann), "mergeCart", json!({"guestCartId": guest["id"]}))
        .await;
    assert_eq!(codes(&refused), ["CURRENCY_MISMATCH"]);
    assert_eq!(stage.read(None, &guest["id"]).await, guest);
    assert_eq!(stage.read(Some(&ann), &own["id"]).await, own);
}
