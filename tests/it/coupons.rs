//! Coupons, from the cart to the order and back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::client::Graph;
use crate::world::{World, eventually, fresh_key};

pub(crate) const CASES: &[Case] = &[
    ("a coupon is shown in the cart and taken off the order", taken_off),
    (
        "a coupon that takes nothing off says why and stops the order",
        no_use,
    ),
    ("a cancelled order gives its coupon back", given_back),
];

const APPLY: &str = "mutation ($input: ApplyCouponInput!) { applyCoupon(input: $input) {
    cart { couponCode subtotal { amount } coupon { code discount { amount } total { amount } problem message } }
    userErrors { code } } }";

/// A new coupon of ten percent; its code.
pub(crate) async fn coupon(world: &World, limits: Value) -> Result<String> {
    let key = fresh_key();
    let code = format!("T-{}", &key[key.len() - 20..])
        .to_uppercase()
        .replace('_', "-");
    let mut input = json!({ "code": code, "percentOff": 10 });
    for (name, value) in limits.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    let query = "mutation ($input: CreateCouponInput!) { createCoupon(input: $input) { coupon { isActive } userErrors { code } } }";
    let data = world.admin().data(query, json!({ "input": input })).await?;
    ensure!(data["createCoupon"]["coupon"]["isActive"] == true, "{data}");
    Ok(code)
}

/// The cart's coupon, as the page that applied it sees it.
pub(crate) async fn apply(graph: &Graph, cart: &str, code: &str) -> Result<Value> {
    let mut data = graph
        .data(APPLY, json!({ "input": { "cartId": cart, "code": code } }))
        .await?;
    ensure!(data["applyCoupon"]["userErrors"] == json!([]), "{data}");
    Ok(data["applyCoupon"]["cart"]["coupon"].take())
}

async fn redemptions(world: &World, code: &str) -> Result<i64> {
    let query = "query ($after: String) { coupons(first: 100, after: $after) { nodes { code redemptions } pageInfo { hasNextPage endCursor } } }";
    let mut after = Value::Null;
    loop {
        let data = world.admin().data(query, json!({ "after": after })).await?;
        let page = &data["coupons"];
        let nodes = page["nodes"].as_array().context(data.to_string())?;
        if let Some(found) = nodes.iter().find(|coupon| coupon["code"] == code) {
            return found["redemptions"].as_i64().context(data.to_string());
        }
        ensure!(page["pageInfo"]["hasNextPage"] == true, "no coupon {code}");
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn taken_off(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let code = coupon(world, json!({ "maxRedemptionsPerUser": 1 })).await?;
        let cart = ada.cart(&variant, 2).await?;
        let shown = apply(&ada, &cart, &code.to_lowercase()).await?;
        let as_shown = json!({ "code": code, "discount": { "amount": "2.50" }, "total": { "amount": "22.50" },
            "problem": null, "message": null });
        ensure!(shown == as_shown, "{shown}");
        let payload = ada.create_order(&cart, "pm_card_visa", &fresh_key()).await?;
        ensure!(payload["order"]["total"]["amount"] == "22.50", "{payload}");
        let id = payload["order"]["id"].as_str().context(payload.to_string())?;
        ada.watch(id, 0).await?;
        let query = "query ($id: ID!) { order(id: $id) { status subtotal { amount } discount { code amount { amount } }
            total { amount } payment { amount { amount } } } }";
        let data = ada.data(query, json!({ "id": id })).await?;
        let as_paid = json!({ "status": "PAID", "subtotal": { "amount": "25.00" }, "total": { "amount": "22.50" },
            "discount": { "code": code, "amount": { "amount": "2.50" } }, "payment": { "amount": { "amount": "22.50" } } });
        ensure!(data["order"] == as_paid, "{data}");
        ensure!(redemptions(world, &code).await? == 1);
        let again = ada.cart(&variant, 1).await?;
        let shown = apply(&ada, &again, &code).await?;
        ensure!(shown["problem"] == "USED_BY_YOU" && shown["total"]["amount"] == "12.50", "{shown}");
        Ok(())
    })
}

fn no_use(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let dear = json!({ "minimumSubtotal": { "amount": "100.00", "currencyCode": "USD" } });
        let dear = coupon(world, dear).await?;
        let cart = ada.cart(&variant, 1).await?;
        for (code, problem) in [("NOT-THERE", "UNKNOWN"), (dear.as_str(), "BELOW_MINIMUM")] {
            let shown = apply(&ada, &cart, code).await?;
            ensure!(shown["problem"] == problem && shown["message"].is_string(), "{shown}");
            let payload = ada.create_order(&cart, "pm_card_visa", &fresh_key()).await?;
            ensure!(payload["order"].is_null(), "{payload}");
            ensure!(payload["userErrors"][0]["code"] == "COUPON_NOT_APPLICABLE", "{payload}");
        }
        let query = "mutation ($input: RemoveCouponInput!) { removeCoupon(input: $input) { cart { couponCode coupon { code } } userErrors { code } } }";
        let data = ada.data(query, json!({ "input": { "cartId": cart } })).await?;
        ensure!(data["removeCoupon"]["cart"] == json!({ "couponCode": null, "coupon": null }), "{data}");
        let payload = ada.create_order(&cart, "pm_card_visa", &fresh_key()).await?;
        ensure!(payload["order"]["total"]["amount"] == "12.50", "{payload}");
        Ok(())
    })
}

fn given_back(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let code = coupon(world, json!({ "maxRedemptions": 1 })).await?;
        let cart = ada.cart(&variant, 1).await?;
        apply(&ada, &cart, &code).await?;
        let payload = ada.create_order(&cart, "pm_mercato_never", &fresh_key()).await?;
        let id = payload["order"]["id"].as_str().context(payload.to_string())?;
        let bob = world.customer().await?;
        let other = bob.cart(&variant, 1).await?;
        ensure!(apply(&bob, &other, &code).await?["problem"] == "USED_UP");
        let refused = bob.create_order(&other, "pm_card_visa", &fresh_key()).await?;
        ensure!(
            refused["userErrors"][0]["code"] == "COUPON_NOT_APPLICABLE",
            "{refused}"
        );
        ada.cancel(id).await?;
        eventually(Duration::from_secs(20), "the coupon is given back", || async {
            Ok(redemptions(world, &code).await? == 0)
        })
        .await?;
        let payload = bob.create_order(&other, "pm_card_visa", &fresh_key()).await?;
        let id = payload["order"]["id"].as_str().context(payload.to_string())?;
        bob.watch(id, 0).await?;
        ensure!(bob.order(id).await?["status"] == "PAID");
        ensure!(redemptions(world, &code).await? == 1);
        Ok(())
    })
}
