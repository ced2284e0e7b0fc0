//! The small catalogue that an empty shop is filled with.

use std::path::Path;

use serde_json::{Value, json};

use crate::shop::Shop;

fn catalogue() -> Vec<Value> {
    let text = include_str!("../../seed/catalogue.json");
    let mut file: Value = serde_json::from_str(text).unwrap();
    let currency = file["currencyCode"].take();
    let mut products: Vec<Value> = file["products"].as_array().unwrap().clone();
    for variant in products
        .iter_mut()
        .flat_map(|product| product["variants"].as_array_mut().unwrap())
    {
        variant.as_object_mut().unwrap().remove("stock").unwrap();
        for price in ["price", "compareAtPrice"] {
            if let Some(amount) = variant.get_mut(price) {
                *amount = json!({"amount": amount.take(), "currencyCode": currency});
            }
        }
    }
    products
}

#[tokio::test]
async fn it_loads_as_it_is() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(catalogue()).await;
    assert!(payload["created"].as_i64().unwrap() >= 60);
    let categories = shop.ask("{ categories { slug } }", json!({})).await;
    assert_eq!(categories["categories"].as_array().unwrap().len(), 8);
}

#[test]
fn every_product_has_its_picture_and_every_picture_is_safe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seed/images");
    for product in catalogue() {
        let name = product["imageUrl"]
            .as_str()
            .unwrap()
            .strip_prefix("/images/")
            .unwrap();
        let picture = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(picture.starts_with("<svg "), "{name}");
        for bad in ["<script", "href", "<foreignObject", " on"] {
            assert!(!picture.contains(bad), "{name} has {bad}");
        }
    }
}
