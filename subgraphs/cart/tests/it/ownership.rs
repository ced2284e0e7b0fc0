//! Whose cart it is.

use contracts::UserId;
use serde_json::{Value, json};
use service_auth::Role;

use crate::stage::{Stage, codes, fault};

#[tokio::test]
async fn a_users_cart_is_for_them_and_for_staff_to_look_at() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let ((_, ann), (_, ben)) = (stage.shopper(), stage.shopper());
    let staff = stage.identity.user_token(UserId::generate(), &[Role::Support]);
    let cart = stage.create(Some(&ann), &[(mug, 1)]).await;
    let line = &cart["lines"][0]["id"];
    for stranger in [None, Some(ben.as_str())] {
        assert_eq!(stage.read(stranger, &cart["id"]).await, Value::Null);
    }
    assert_eq!(stage.read(Some(&staff), &cart["id"]).await["id"], cart["id"]);
    for stranger in [None, Some(ben.as_str()), Some(staff.as_str())] {
        let inputs = [
            (
                "addCartLines",
                json!({"cartId": cart["id"], "lines": [{"variantId": mug.to_string(), "quantity": 1}], "idempotencyKey": "k"}),
            ),
            (
                "setCartLineQuantity",
                json!({"cartId": cart["id"], "lineId": line, "quantity": 9}),
            ),
            ("clearCart", json!({"cartId": cart["id"]})),
        ];
        for (field, input) in inputs {
            assert_eq!(
                codes(&stage.change(stranger, field, input).await),
                ["CART_NOT_FOUND"],
                "{field}"
            );
        }
    }
    for stranger in [ben.as_str(), staff.as_str()] {
        let payload = stage
            .change(Some(stranger), "mergeCart", json!({"guestCartId": cart["id"]}))
            .await;
        assert_eq!(codes(&payload), ["CART_NOT_FOUND"]);
    }
    assert_eq!(stage.read(Some(&ann), &cart["id"]).await, cart);
}

#[tokio::test]
async fn the_active_cart_is_the_newest_and_private() {
    let stage = Stage::new().await;
    let ((ann_id, ann), (_, ben)) = (stage.shopper(), stage.shopper());
    let staff = stage.identity.user_token(UserId::generate(), &[Role::Admin]);
    let none = stage.active(Some(&ann), ann_id).await;
    assert_eq!(none["data"]["_entities"][0]["activeCart"], Value::Null);
    assert_eq!(none["errors"], Value::Null);
    stage.create(Some(&ann), &[]).await;
    let second = stage.create(Some(&ann), &[]).await;
    for token in [&ann, &staff] {
        let seen = stage.active(Some(token), ann_id).await;
        assert_eq!(seen["data"]["_entities"][0]["activeCart"]["id"], second["id"]);
    }
    for (token, code) in [(Some(ben.as_str()), "FORBIDDEN"), (None, "UNAUTHENTICATED")] {
        let refused = stage.active(token, ann_id).await;
        assert_eq!(fault(&refused), code);
        assert_eq!(refused["data"]["_entities"][0]["activeCart"], Value::Null);
    }
}

#[tokio::test]
async fn cart_entities_are_authorised_one_by_one() {
    let stage = Stage::new().await;
    let ((_, ann), (_, ben)) = (stage.shopper(), stage.shopper());
    let (anns, bens, guests) = (
        stage.create(Some(&ann), &[]).await,
        stage.create(Some(&ben), &[]).await,
        stage.create(None, &[]).await,
    );
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Cart { id version } } }";
    let ids = [&anns["id"], &bens["id"], &guests["id"], &json!("rubbish")];
    let representations: Vec<_> = ids
        .iter()
        .map(|id| json!({"__typename": "Cart", "id": id}))
        .collect();
    let answer = stage.ask(Some(&ann), query, json!({"r": representations})).await;
    let found: Vec<_> = answer["data"]["_entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cart| cart["id"].clone())
        .collect();
    assert_eq!(
        found,
        [anns["id"].clone(), Value::Null, guests["id"].clone(), Value::Null],
        "{answer}"
    );
}
