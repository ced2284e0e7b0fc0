//! Many changes of one cart at once: none is lost, none happens twice.

use std::sync::Arc;

use contracts::UserId;
use futures::future::join_all;
use serde_json::json;
use service_auth::Role;

use crate::stage::{Stage, codes};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_all_count() {
    let stage = Arc::new(Stage::new().await);
    let mug = stage.catalogue.variant(100);
    let cart = stage.create(None, &[]).await;
    let adds = (0..8).map(|n| {
        let (stage, cart) = (Arc::clone(&stage), cart.clone());
        tokio::spawn(async move { stage.add(None, &cart, &[(mug, 1)], &format!("key-{n}")).await })
    });
    for payload in join_all(adds).await {
        assert_eq!(codes(&payload.unwrap()), [""; 0]);
    }
    let after = stage.read(None, &cart["id"]).await;
    assert_eq!(
        (&after["totalQuantity"], &after["version"]),
        (&json!(8), &json!(9))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_sent_many_times_adds_once() {
    let stage = Arc::new(Stage::new().await);
    let mug = stage.catalogue.variant(100);
    let cart = stage.create(None, &[]).await;
    let adds = (0..12).map(|_| {
        let (stage, cart) = (Arc::clone(&stage), cart.clone());
        tokio::spawn(async move { stage.add(None, &cart, &[(mug, 2)], "one-key").await })
    });
    for payload in join_all(adds).await {
        assert_eq!(payload.unwrap()["cart"]["totalQuantity"], 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_sent_many_times_makes_one_cart() {
    let stage = Arc::new(Stage::new().await);
    let token = stage.identity.user_token(UserId::generate(), &[Role::Customer]);
    let creates = (0..12).map(|_| {
        let (stage, token) = (Arc::clone(&stage), token.clone());
        let input = json!({"currencyCode": "USD", "idempotencyKey": "one-key"});
        tokio::spawn(
            async move { stage.change(Some(&token), "createCart", input).await["cart"]["id"].clone() },
        )
    });
    let ids: Vec<_> = join_all(creates).await.into_iter().map(Result::unwrap).collect();
    assert!(
        ids[0].is_string() && ids.iter().all(|id| id == &ids[0]),
        "{ids:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_guest_cart_merged_twice_at_once_counts_once() {
    let stage = Arc::new(Stage::new().await);
    let mug = stage.catalogue.variant(100);
    let token = stage.identity.user_token(UserId::generate(), &[Role::Customer]);
    let own = stage.create(Some(&token), &[(mug, 1)]).await;
    let guest = stage.create(None, &[(mug, 2)]).await;
    let merges = (0..6).map(|_| {
        let (stage, token, id) = (Arc::clone(&stage), token.clone(), guest["id"].clone());
        tokio::spawn(async move {
            stage
                .change(Some(&token), "mergeCart", json!({"guestCartId": id}))
                .await
        })
    });
    for payload in join_all(merges).await {
        assert_eq!(codes(&payload.unwrap()), [""; 0]);
    }
    assert_eq!(stage.read(Some(&token), &own["id"]).await["totalQuantity"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_changes_that_expect_a_version_one_wins() {
    let stage = Arc::new(Stage::new().await);
    let mug = stage.catalogue.variant(100);
    let cart = stage.create(None, &[(mug, 1)]).await;
    let sets = (0..6).map(|n| {
        let stage = Arc::clone(&stage);
        let input = json!({"cartId": cart["id"], "lineId": cart["lines"][0]["id"], "quantity": 10 + n, "expectedVersion": 1});
        tokio::spawn(async move { stage.change(None, "setCartLineQuantity", input).await })
    });
    let payloads: Vec<_> = join_all(sets).await.into_iter().map(Result::unwrap).collect();
    let won = payloads
        .iter()
        .filter(|payload| codes(payload).is_empty())
        .count();
    let lost = payloads
        .iter()
        .filter(|payload| codes(payload) == ["VERSION_CONFLICT"])
        .count();
    assert_eq!((won, lost), (1, 5));
}
