//! Wrong input is answered with a clear code and changes nothing.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::client::Graph;
use crate::world::{World, fresh_key};

pub(crate) const CASES: &[Case] = &[
    ("bad carts are refused", carts),
    ("bad orders are refused", orders),
    ("bad pages are refused", pages),
    ("bad requests are refused", requests),
    ("another's order is as good as none", ownership),
    ("only staff may do what staff do", staff),
];

const CREATE_CART: &str = "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id } userErrors { code field } } }";
const CREATE_ORDER: &str = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } userErrors { code } } }";

/// The code of the payload's first user error.
async fn user_error(graph: &Graph, field: &str, query: &str, variables: Value) -> Result<String> {
    let data = graph.data(query, variables).await?;
    let code = data[field]["userErrors"][0]["code"].as_str();
    code.map(str::to_owned)
        .with_context(|| format!("no user error in {data}"))
}

fn carts(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let unknown = "var_00000000000000000000000000";
        for (id, quantity, expected) in [
            (unknown, 1, "VARIANT_UNAVAILABLE"),
            (variant.id.as_str(), 0, "QUANTITY_INVALID"),
            (variant.id.as_str(), -1, "QUANTITY_INVALID"),
            (variant.id.as_str(), i64::from(i32::MAX), "QUANTITY_INVALID"),
        ] {
            let lines = json!([{ "variantId": id, "quantity": quantity }]);
            let input = json!({ "currencyCode": "USD", "idempotencyKey": fresh_key(), "lines": lines });
            let code = user_error(&ada, "createCart", CREATE_CART, json!({ "input": input })).await?;
            ensure!(code == expected, "{quantity} of {id}: {code}");
        }
        let input = json!({ "currencyCode": "USD", "idempotencyKey": fresh_key(), "lines": [{ "variantId": "nonsense", "quantity": 1 }] });
        let answer = ada.ask(CREATE_CART, json!({ "input": input })).await?;
        ensure!(answer.to_string().contains("BAD_USER_INPUT") || answer.to_string().contains("VARIANT_UNAVAILABLE"), "{answer}");
        let input = json!({ "currencyCode": "EUR", "idempotencyKey": fresh_key(), "lines": [{ "variantId": variant.id, "quantity": 1 }] });
        let code = user_error(&ada, "createCart", CREATE_CART, json!({ "input": input })).await?;
        ensure!(code == "CURRENCY_MISMATCH", "{code}");
        Ok(())
    })
}

fn orders(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, bob, variant) = (world.customer().await?, world.customer().await?, world.product(5).await?);
        let order = |cart: &str, key: Value| json!({ "input": { "cartId": cart, "paymentMethod": "pm_card_visa", "idempotencyKey": key } });
        let cart = ada.cart(&variant, 1).await?;

        let code = world.anyone().fault(CREATE_ORDER, order(&cart, json!(fresh_key()))).await?;
        ensure!(code == "UNAUTHENTICATED", "{code}");
        let code = user_error(&bob, "createOrder", CREATE_ORDER, order(&cart, json!(fresh_key()))).await?;
        ensure!(code == "CART_NOT_FOUND", "bob orders ada's cart: {code}");
        let code = user_error(&ada, "createOrder", CREATE_ORDER, order("cart_00000000000000000000000000", json!(fresh_key()))).await?;
        ensure!(code == "CART_NOT_FOUND", "{code}");
        // The router itself refuses a null where the schema wants a key.
        ensure!(ada.ask(CREATE_ORDER, order(&cart, Value::Null)).await?["errors"].is_array());
        let code = ada.fault(CREATE_ORDER, order(&cart, json!("short"))).await?;
        ensure!(code == "BAD_USER_INPUT", "a key of five characters: {code}");

        let empty = json!({ "input": { "currencyCode": "USD", "idempotencyKey": fresh_key(), "lines": [] } });
        let data = ada.data(CREATE_CART, empty).await?;
        let empty = data["createCart"]["cart"]["id"].as_str().context(data.to_string())?;
        let code = user_error(&ada, "createOrder", CREATE_ORDER, order(empty, json!(fresh_key()))).await?;
        ensure!(code == "CART_EMPTY", "{code}");

        let data = ada.data("{ me { orders { nodes { id } } } }", json!({})).await?;
        ensure!(data["me"]["orders"]["nodes"] == json!([]), "an order came of it: {data}");
        ensure!(world.stock(&variant).await? == [5, 5, 0, 0]);
        Ok(())
    })
}

fn pages(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let graph = world.anyone();
        let query = "query ($first: Int!, $after: String) { products(first: $first, after: $after) { nodes { id } pageInfo { endCursor } } }";
        for (first, after) in [(0, None), (-1, None), (101, None), (5, Some("nonsense")), (5, Some("")), (5, Some("eyJhIjoxfQ=="))] {
            let code = graph.fault(query, json!({ "first": first, "after": after })).await?;
            ensure!(code == "BAD_USER_INPUT", "first {first}, after {after:?}: {code}");
        }
        world.product(1).await?;
        let data = graph.data(query, json!({ "first": 1 })).await?;
        let cursor = data["products"]["pageInfo"]["endCursor"].as_str().context(data.to_string())?;
        let flipped = if cursor.ends_with('A') { "B" } else { "A" };
        let tampered = format!("{}{flipped}", &cursor[..cursor.len() - 1]);
        let code = graph.fault(query, json!({ "first": 1, "after": tampered })).await?;
        ensure!(code == "BAD_USER_INPUT", "{code}");
        let code = world.admin().fault("query ($after: String) { users(after: $after) { nodes { id } } }", json!({ "after": cursor })).await?;
        ensure!(code == "BAD_USER_INPUT", "a cursor of products pages users: {code}");
        Ok(())
    })
}

fn requests(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let http = service_kit::http::client(std::time::Duration::from_secs(5));
        for (body, type_) in [
            ("{", "application/json"),
            ("", "application/json"),
            (r#"{"query": "{ nonsense"}"#, "application/json"),
            (r#"{"query": "{ noSuchField }"}"#, "application/json"),
            ("query={__typename}", "application/x-www-form-urlencoded"),
        ] {
            let answer = http
                .post(world.anyone().url())
                .header("content-type", type_)
                .body(body)
                .send()
                .await?;
            ensure!(answer.status().is_client_error(), "{body}: {}", answer.status());
            let text = answer.text().await?;
            ensure!(!text.contains("\"data\":{"), "{body}: {text}");
        }
        let code = world
            .anyone()
            .signed_in("nonsense")
            .fault("{ me { id } }", json!({}))
            .await?;
        ensure!(code == "UNAUTHENTICATED", "{code}");
        for (service, ports) in &world.stack.plan().ports {
            if roster::SERVICES.contains(&service.as_str()) {
                let url = format!("http://127.0.0.1:{}/graphql", ports.graphql);
                let answer = http
                    .post(url)
                    .json(&json!({ "query": "{ __typename }" }))
                    .send()
                    .await?;
                ensure!(
                    answer.status().is_client_error(),
                    "{service} answers without the gateway key"
                );
            }
        }
        Ok(())
    })
}

fn ownership(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, bob, variant) = (
            world.customer().await?,
            world.customer().await?,
            world.product(5).await?,
        );
        let order = ada.buy(&variant, 1, "pm_mercato_never").await?;
        let answer = bob
            .ask(
                "query ($id: ID!) { order(id: $id) { id status } }",
                json!({ "id": order }),
            )
            .await?;
        ensure!(answer["data"]["order"].is_null(), "{answer}");
        let payload = bob.cancel(&order).await?;
        ensure!(payload["userErrors"][0]["code"] == "NOT_FOUND", "{payload}");
        ensure!(ada.order(&order).await?["isFinal"] == false);
        ada.cancel(&order).await?;
        ada.watch(&order, 0).await?;
        Ok(())
    })
}

fn staff(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        for (query, variables) in [
            ("{ orders { nodes { id } } }", json!({})),
            ("{ users { nodes { id } } }", json!({})),
            ("{ payments { nodes { id } } }", json!({})),
            ("query ($sku: String!) { stockMovements(sku: $sku) { nodes { id } } }", json!({ "sku": variant.sku })),
            (
                "mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }",
                json!({ "input": { "sku": variant.sku, "delta": 5, "reason": "mine", "idempotencyKey": fresh_key() } }),
            ),
            (
                "mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { userErrors { code } } }",
                json!({ "input": { "orderId": order, "reason": "mine", "idempotencyKey": fresh_key() } }),
            ),
            (
                "mutation ($input: RefundAmountInput!) { refundAmount(input: $input) { userErrors { code } } }",
                json!({ "input": { "orderId": order, "reason": "mine", "idempotencyKey": fresh_key(),
                    "amount": { "amount": "1.00", "currencyCode": "USD" } } }),
            ),
            (
                "mutation ($input: ReturnLinesInput!) { returnLines(input: $input) { userErrors { code } } }",
                json!({ "input": { "orderId": order, "reason": "mine", "idempotencyKey": fresh_key(),
                    "lines": [{ "lineId": format!("{order}.1"), "quantity": 1 }] } }),
            ),
            (
                "mutation ($input: ShipOrderInput!) { shipOrder(input: $input) { userErrors { code } } }",
                json!({ "input": { "orderId": order } }),
            ),
        ] {
            let code = world.staff_as(&ada).fault(query, variables.clone()).await?;
            ensure!(code == "FORBIDDEN", "{query}: {code}");
            let code = world.staff_as(world.anyone()).fault(query, variables.clone()).await?;
            ensure!(code == "UNAUTHENTICATED", "{query}: {code}");
            let code = ada.fault(query, variables).await?;
            ensure!(code == "GRAPHQL_VALIDATION_FAILED", "{query} at the public address: {code}");
        }
        ensure!(world.stock(&variant).await? == [5, 4, 0, 1]);
        ensure!(ada.order(&order).await?["status"] == "PAID");
        Ok(())
    })
}
