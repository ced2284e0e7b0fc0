//! What the router's questions to us cost in statements, however many variants they are about.

use std::fmt::Write as _;

use contracts::UserId;
use serde_json::{Value, json};
use service_auth::Role;
use test_kit::Statements;

use crate::stage::Stage;

fn variants(count: usize) -> Value {
    let variant = |n| json!({"__typename": "ProductVariant", "id": format!("var_{n}"), "sku": format!("SKU-{n}"), "weightGrams": 500});
    (0..count).map(variant).collect()
}

#[tokio::test]
async fn references_cost_this_many_statements() {
    let stage = Stage::new().await;
    for n in 0..3 {
        stage.receive(&format!("SKU-{n}"), 5).await;
    }
    let support = stage.identity.user_token(UserId::generate(), &[Role::Support]);
    let statements = Statements::counted();
    let mut costs = String::new();
    for (name, token, fields) in [
        (
            "availability",
            None,
            "availability { status maxOrderQuantity asOf }",
        ),
        (
            "shippingEstimate",
            None,
            "shippingEstimate(countryCode: \"US\", quantity: 2) { amount currencyCode }",
        ),
        (
            "stockLevel",
            Some(support.as_str()),
            "stockLevel { received available reserved sold }",
        ),
        (
            "all of them",
            Some(support.as_str()),
            "availability { status } shippingEstimate(countryCode: \"US\") { amount } stockLevel { available }",
        ),
    ] {
        let query = format!(
            "query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on ProductVariant {{ {fields} }} }} }}"
        );
        write!(costs, "{name}:").unwrap();
        for count in [1, 50, 100] {
            let answer =
                test_kit::graphql(&stage.graphql, token, &query, json!({"r": variants(count)})).await;
            assert_eq!(answer["errors"], Value::Null, "{answer}");
            assert_eq!(answer["data"]["_entities"].as_array().unwrap().len(), count);
            write!(costs, " {} for {count}", statements.taken()).unwrap();
        }
        costs.push('\n');
    }
    let moves = "{ stockMovements(sku: \"SKU-1\") { nodes { kind } pageInfo { hasNextPage } } }";
    test_kit::graphql(&stage.graphql, Some(&support), moves, json!({})).await;
    writeln!(costs, "stockMovements: {}", statements.taken()).unwrap();
    insta::assert_snapshot!(costs, @r"
    availability: 1 for 1 1 for 50 1 for 100
    shippingEstimate: 0 for 1 0 for 50 0 for 100
    stockLevel: 1 for 1 1 for 50 1 for 100
    all of them: 1 for 1 1 for 50 1 for 100
    stockMovements: 1
    ");
}
