//! What operators do with an order, and what the catalogue shows.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::world::{World, eventually, fresh_key};

pub(crate) const CASES: &[Case] = &[
    ("a paid order is shipped and delivered", shipped),
    ("a paid order is refunded and restocked", refunded),
    (
        "an order comes back in parts, and no more than all of it",
        returned,
    ),
    ("operators find orders by what they have of them", searched),
    ("nobody orders without an account", no_guests),
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

fn returned(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 3, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        let query = "query ($id: ID!) { order(id: $id) { status refundedAmount { amount }
            lines { id quantity returnedQuantity } returns { number status amount { amount } lines { quantity restock } }
            payment { status refunded { amount } } } }";
        let seen = || async {
            let mut data = ada.data(query, json!({ "id": order })).await?;
            anyhow::Ok(data["order"].take())
        };
        let line = seen().await?["lines"][0]["id"].clone();
        let take_back = |quantity: i32, restock: bool, key: String| {
            let lines = json!([{ "lineId": line, "quantity": quantity, "restock": restock }]);
            let input = json!({ "orderId": order, "reason": "too many", "lines": lines, "idempotencyKey": key });
            mutate(world, "returnLines", "ReturnLinesInput", input)
        };
        let key = fresh_key();
        for _ in 0..2 {
            let payload = take_back(1, true, key.clone()).await?;
            ensure!(payload["userErrors"] == json!([]), "{payload}");
        }
        let done = |count: usize| async move {
            let shown = seen().await?;
            let returns = shown["returns"].as_array().cloned().unwrap_or_default();
            Ok(returns.len() == count && returns.iter().all(|back| back["status"] == "DONE"))
        };
        eventually(Duration::from_secs(30), "one unit is back", || done(1)).await?;
        ensure!(world.stock(&variant).await? == [5, 3, 0, 2]);
        let shown = seen().await?;
        ensure!(shown["payment"]["status"] == "PARTIALLY_REFUNDED", "{shown}");
        ensure!(shown["refundedAmount"]["amount"] == "12.50", "{shown}");

        let payload = take_back(2, false, fresh_key()).await?;
        ensure!(payload["userErrors"] == json!([]), "{payload}");
        let third = take_back(1, true, fresh_key()).await?;
        ensure!(third["userErrors"][0]["code"] == "RETURN_EXCEEDS_ORDER", "{third}");
        eventually(Duration::from_secs(30), "all units are back", || done(2)).await?;
        let shown = seen().await?;
        ensure!(shown["status"] == "PAID" && shown["payment"]["status"] == "REFUNDED", "{shown}");
        ensure!(shown["refundedAmount"]["amount"] == "37.50", "{shown}");
        ensure!(shown["lines"][0]["returnedQuantity"] == 3, "{shown}");
        ensure!(world.stock(&variant).await? == [5, 3, 0, 2], "what is not for sale stays off the shelf");
        let amount = json!({ "amount": "0.01", "currencyCode": "USD" });
        let input = json!({ "orderId": order, "reason": "one more", "amount": amount, "idempotencyKey": fresh_key() });
        let more = mutate(world, "refundAmount", "RefundAmountInput", input).await?;
        ensure!(more["userErrors"][0]["code"] == "REFUND_EXCEEDS_PAYMENT", "{more}");
        Ok(())
    })
}

fn searched(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        let query = "query ($text: String!) { orders(filter: { text: $text, status: [PAID] }) { nodes { id number } } }";
        let number = {
            let data = world.admin().data(query, json!({ "text": order })).await?;
            data["orders"]["nodes"][0]["number"].clone()
        };
        for text in [json!(order), number, json!(variant.sku.to_lowercase())] {
            let data = world.admin().data(query, json!({ "text": text })).await?;
            let nodes = data["orders"]["nodes"].as_array().context("no list")?;
            ensure!(nodes.len() == 1 && nodes[0]["id"] == order.as_str(), "{text}: {data}");
        }
        let code = world.staff_as(&ada).fault(query, json!({ "text": order })).await?;
        ensure!(code == "FORBIDDEN", "{code}");
        Ok(())
    })
}

fn no_guests(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(9).await?);
        let guest = world.anyone().cart(&variant, 2).await?;
        let query = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id customer { id } } userErrors { code } } }";
        let input = |cart: &Value| json!({ "input": { "cartId": cart, "paymentMethod": "pm_card_visa", "idempotencyKey": fresh_key() } });
        let code = world.anyone().fault(query, input(&json!(guest))).await?;
        ensure!(code == "UNAUTHENTICATED", "{code}");
        // Once the guest signs in, the cart is the user's, and so is what comes of it.
        let merge = "mutation ($input: MergeCartInput!) { mergeCart(input: $input) { cart { id } userErrors { code } } }";
        let merged = ada.data(merge, json!({ "input": { "guestCartId": guest } })).await?;
        let placed = ada.data(query, input(&merged["mergeCart"]["cart"]["id"])).await?;
        let me = ada.data("{ me { id } }", json!({})).await?;
        ensure!(placed["createOrder"]["order"]["customer"]["id"] == me["me"]["id"], "{placed}");
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
