//! What operators do with an order, and what the catalogue shows.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::world::{World, eventually, fresh_key};

pub(crate) const CASES: &[Case] = &[
    ("a paid order is shipped and delivered", shipped),
    ("a paid order is refunded and restocked", refunded),
    ("operators see the saga of an order", saga),
    ("one query joins product, price and availability", joined),
    ("a guest's cart becomes the buyer's", merged),
    ("buyers see their orders, newest first", history),
];

async fn mutate(world: &World, field: &str, type_: &str, input: Value) -> Result<Value> {
    let query = format!(
        "mutation ($input: {type_}!) {{ {field}(input: $input) {{ order {{ status }} userErrors {{ code }} }} }}"
    );
    let mut data = world.admin().data(&query, json!({ "input": input })).await?;
    Ok(data[field].take())
}

fn shipped(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        let early = mutate(
            world,
            "deliverOrder",
            "DeliverOrderInput",
            json!({ "orderId": order }),
        )
        .await?;
        ensure!(early["userErrors"][0]["code"] == "INVALID_STATE", "{early}");
        let input = json!({ "orderId": order, "carrier": "DHL", "trackingNumber": "X1" });
        let payload = mutate(world, "shipOrder", "ShipOrderInput", input).await?;
        ensure!(payload["order"]["status"] == "SHIPPED", "{payload}");
        let payload = mutate(
            world,
            "deliverOrder",
            "DeliverOrderInput",
            json!({ "orderId": order }),
        )
        .await?;
        ensure!(payload["order"]["status"] == "DELIVERED", "{payload}");
        let payload = ada.cancel(&order).await?;
        ensure!(payload["userErrors"][0]["code"] == "NOT_CANCELLABLE", "{payload}");
        Ok(())
    })
}

fn refunded(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 2, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        let input =
            json!({ "orderId": order, "reason": "broken", "restock": true, "idempotencyKey": fresh_key() });
        let payload = mutate(world, "refundOrder", "RefundOrderInput", input.clone()).await?;
        ensure!(payload["userErrors"] == json!([]), "{payload}");
        eventually(Duration::from_secs(15), "the order is refunded", || async {
            Ok(ada.order(&order).await?["status"] == "REFUNDED")
        })
        .await?;
        let again = mutate(world, "refundOrder", "RefundOrderInput", input).await?;
        ensure!(again["userErrors"] == json!([]), "{again}");
        let order = ada.order(&order).await?;
        ensure!(order["payment"]["refunded"]["amount"] == "25.00", "{order}");
        ensure!(world.stock(&variant).await? == [5, 5, 0, 0]);
        Ok(())
    })
}

fn saga(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        let query = "query ($id: ID!) { order(id: $id) { customer { email } saga { step needsAttention steps { name kind state attempts endedAt } } } }";
        let data = world.admin().data(query, json!({ "id": order })).await?;
        let steps = data["order"]["saga"]["steps"].as_array().context(data.to_string())?;
        ensure!(steps.iter().all(|step| step["state"] == "DONE" && !step["endedAt"].is_null()), "{data}");
        let names: Vec<_> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
        ensure!(names == ["reserve", "pay", "confirm"], "{names:?}");
        Ok(())
    })
}

fn joined(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let variant = world.product(3).await?;
        let query = "query ($slug: String!) { product(slug: $slug) { title category { name } variants { sku price { amount currencyCode }
            availability { status maxOrderQuantity } } } }";
        let data = world.anyone().data(query, json!({ "slug": variant.slug })).await?;
        let shown = &data["product"]["variants"][0];
        ensure!(shown["sku"] == variant.sku.as_str() && shown["price"]["amount"] == "12.50", "{data}");
        ensure!(shown["availability"]["maxOrderQuantity"] == 3, "{data}");
        Ok(())
    })
}

fn merged(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(9).await?);
        let guest = world.anyone().cart(&variant, 2).await?;
        ada.cart(&variant, 1).await?;
        let query = "mutation ($input: MergeCartInput!) { mergeCart(input: $input) { cart { totalQuantity lines { quantity variant { sku } } } userErrors { code } } }";
        let data = ada.data(query, json!({ "input": { "guestCartId": guest } })).await?;
        ensure!(data["mergeCart"]["cart"]["totalQuantity"] == 3, "{data}");
        let data = world.anyone().data("query ($id: ID!) { cart(id: $id) { id } }", json!({ "id": guest })).await?;
        ensure!(data["cart"].is_null(), "the guest's cart is gone: {data}");
        let data = ada.data("{ me { activeCart { totalQuantity subtotal { amount } } } }", json!({})).await?;
        ensure!(data["me"]["activeCart"]["subtotal"]["amount"] == "37.50", "{data}");
        Ok(())
    })
}

fn history(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(9).await?);
        let mut bought = Vec::new();
        for _ in 0..3 {
            bought.insert(0, ada.buy(&variant, 1, "pm_card_visa").await?);
        }
        let query = "query ($after: String) { me { orders(first: 2, after: $after) { nodes { id lines { title quantity } } pageInfo { hasNextPage endCursor } } } }";
        let first = ada.data(query, json!({})).await?;
        let page = &first["me"]["orders"];
        ensure!(page["pageInfo"]["hasNextPage"] == true, "{first}");
        let second = ada.data(query, json!({ "after": page["pageInfo"]["endCursor"] })).await?;
        let listed: Vec<_> = [&first, &second]
            .iter()
            .flat_map(|data| data["me"]["orders"]["nodes"].as_array().cloned().unwrap_or_default())
            .filter_map(|order| order["id"].as_str().map(str::to_owned))
            .collect();
        ensure!(listed == bought, "{listed:?} but {bought:?}");
        for order in &bought {
            ada.watch(order, 0).await?;
        }
        Ok(())
    })
}
