//! What a line of a catalogue file says, as input of the mutations.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ndjson::Line;
use crate::operations::StockLine;

/// A product to load and its stock.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The line it stands on.
    pub line: u64,
    /// An input of `importProducts`.
    pub product: Value,
    /// Units of its SKUs.
    pub stock: Vec<StockLine>,
}

impl<T> Line<T> {
    /// The line with its value made into an entry.
    pub fn and_then(self, into: impl FnOnce(T) -> Result<Entry, String>) -> Line<Entry> {
        let number = self.number;
        let value = self.value.and_then(into).map(|entry| Entry {
            line: number,
            ..entry
        });
        Line { number, value }
    }
}

/// The SKU of a product of the journey data.
pub fn sku(product_id: u64) -> String {
    format!("CJ-{product_id}")
}

/// The slug of a product of the journey data.
pub fn slug(product_id: u64) -> String {
    format!("cj-{product_id}")
}

/// A product as the shopping-journey data tells it.
#[derive(Debug, Deserialize)]
pub struct ProductLine {
    product_id: u64,
    department: String,
    brand: Option<String>,
    category: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    size: Option<String>,
    unit_price_usd: String,
}

impl ProductLine {
    /// The product with its one variant, and `stock` units of it.
    pub fn entry(self, stock: u32) -> Result<Entry, String> {
        if !is_price(&self.unit_price_usd) {
            return Err(format!("unit_price_usd {:?} is not a price", self.unit_price_usd));
        }
        let path: Vec<&str> = [Some(self.department.as_str()), self.category.as_deref()]
            .into_iter()
            .flatten()
            .filter(|name| !name.trim().is_empty())
            .collect();
        if path.is_empty() {
            return Err("department is missing".to_owned());
        }
        let kind = self
            .kind
            .as_deref()
            .or(self.category.as_deref())
            .unwrap_or(&self.department);
        let title = match &self.size {
            Some(size) => format!("{}, {size}", sentence(kind)),
            None => sentence(kind),
        };
        let sku = sku(self.product_id);
        let product = json!({
            "slug": slug(self.product_id),
            "title": title,
            "description": path.join(" / "),
            "categoryPath": path,
            "brand": self.brand,
            "variants": [{
                "sku": sku,
                "title": self.size.as_deref().unwrap_or("Standard"),
                "price": { "amount": self.unit_price_usd, "currencyCode": "USD" },
                "weightGrams": self.size.as_deref().and_then(grams),
            }],
        });
        let stock = vec![StockLine { sku, quantity: stock }];
        Ok(Entry {
            line: 0,
            product,
            stock,
        })
    }
}

/// A plain amount of dollars with at most two decimals.
fn is_price(text: &str) -> bool {
    let (whole, cents) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 9) && digits(cents, 2)
}

/// `ICE - CRUSHED/CUBED` as `Ice - crushed/cubed`.
fn sentence(shouted: &str) -> String {
    let mut letters = shouted.trim().chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters.map(|letter| letter.to_ascii_lowercase()))
        .collect()
}

/// The weight that a size such as `22 LB` or `12.5 OZ` tells.
fn grams(size: &str) -> Option<u32> {
    let (number, unit) = size.trim().split_once(' ')?;
    // Thousandths of a gram, so that no float is needed.
    let per_unit: u64 = match unit {
        "LB" => 453_592,
        "OZ" => 28_350,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 3 || whole.len() > 4 {
        return None;
    }
    let thousandths: u64 = format!("{}{fraction:0<3}", if whole.is_empty() { "0" } else { whole })
        .parse()
        .ok()?;
    let grams = u32::try_from(thousandths * per_unit / 1_000_000).ok()?;
    (grams > 0).then_some(grams)
}

/// A hand-made catalogue: products as `importProducts` takes them, but for plain prices and the stock.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeedFile {
    currency_code: String,
    products: Vec<Map<String, Value>>,
    /// Inputs of `createCoupon`.
    #[serde(default)]
    coupons: Vec<Value>,
}

impl SeedFile {
    /// The coupons, each an input of `createCoupon`.
    pub fn take_coupons(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.coupons)
    }

    /// The products as lines, numbered from 1.
    pub fn lines(self) -> impl Iterator<Item = Line<Entry>> {
        let currency = self.currency_code;
        self.products
            .into_iter()
            .zip(1..)
            .map(move |(product, number)| Line {
                number,
                value: seed_entry(product, number, &currency),
            })
    }
}

fn seed_entry(mut product: Map<String, Value>, line: u64, currency: &str) -> Result<Entry, String> {
    let variants = product
        .get_mut("variants")
        .and_then(Value::as_array_mut)
        .ok_or("no variants")?;
    let mut stock = Vec::new();
    for variant in variants {
        let variant = variant.as_object_mut().ok_or("a variant is not an object")?;
        for price in ["price", "compareAtPrice"] {
            if let Some(amount) = variant.get_mut(price) {
                *amount = json!({ "amount": amount, "currencyCode": currency });
            }
        }
        let units = variant.shift_remove("stock").unwrap_or_else(|| json!(0));
        let units = units.as_u64().and_then(|units| u32::try_from(units).ok());
        let quantity = units.ok_or("stock is not a number")?;
        let sku = variant
            .get("sku")
            .and_then(Value::as_str)
            .ok_or("a variant has no sku")?;
        stock.push(StockLine {
            sku: sku.to_owned(),
            quantity,
        });
    }
    let product = Value::Object(product);
    Ok(Entry { line, product, stock })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &Value) -> Result<Entry, String> {
        serde_json::from_value::<ProductLine>(line.clone())
            .map_err(|error| error.to_string())?
            .entry(5)
    }

    #[test]
    fn a_journey_product_becomes_an_import() {
        let line = json!({"product_id": 25671, "department": "GROCERY", "brand": "National", "category": "FRZN ICE",
            "type": "ICE - CRUSHED/CUBED", "size": "22 LB", "unit_price_usd": "3.49"});
        let entry = entry(&line).unwrap();
        assert_eq!(
            entry.product,
            json!({
                "slug": "cj-25671", "title": "Ice - crushed/cubed, 22 LB", "description": "GROCERY / FRZN ICE",
                "categoryPath": ["GROCERY", "FRZN ICE"], "brand": "National",
                "variants": [{"sku": "CJ-25671", "title": "22 LB", "weightGrams": 9979,
                    "price": {"amount": "3.49", "currencyCode": "USD"}}],
            })
        );
        assert_eq!(
            (entry.stock[0].sku.as_str(), entry.stock[0].quantity),
            ("CJ-25671", 5)
        );
    }

    #[test]
    fn gaps_are_filled_and_nonsense_is_refused() {
        let line = json!({"product_id": 1, "department": "MISC", "brand": null, "category": null, "type": null,
            "size": null, "unit_price_usd": "1"});
        assert_eq!(entry(&line).unwrap().product["title"], "Misc");
        for price in ["", "-1", "1.234", "free", "1e3", ".5"] {
            let mut bad = line.clone();
            bad["unit_price_usd"] = price.into();
            assert!(entry(&bad).is_err(), "{price}");
        }
        assert!(entry(&json!({"product_id": "x"})).is_err());
    }

    #[test]
    fn weights_are_read_where_they_are_told() {
        assert_eq!(grams("12.5 OZ"), Some(354));
        assert_eq!(grams(".5 LB"), Some(226));
        for size in ["6 CT", "LB", "x LB", "1.2345 LB", ""] {
            assert_eq!(grams(size), None, "{size}");
        }
    }

    #[test]
    fn a_seed_product_gives_its_prices_a_currency_and_its_stock_apart() {
        let file = json!({"currencyCode": "USD", "products": [
            {"slug": "a", "variants": [{"sku": "A", "price": "1.50", "stock": 3}]},
            {"slug": "b", "variants": [{"sku": "B", "stock": -1}]},
        ]});
        let mut lines = serde_json::from_value::<SeedFile>(file).unwrap().lines();
        let entry = lines.next().unwrap().value.unwrap();
        let price = json!({"amount": "1.50", "currencyCode": "USD"});
        assert_eq!(
            entry.product,
            json!({"slug": "a", "variants": [{"sku": "A", "price": price}]})
        );
        assert_eq!(entry.stock[0].quantity, 3);
        assert!(lines.next().unwrap().value.is_err());
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_line_is_an_entry_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            changes in prop::collection::vec((
                prop::sample::select(vec!["product_id", "department", "brand", "category", "type", "size", "unit_price_usd"]),
                prop_oneof![
                    Just(serde_json::Value::Null),
                    any::<i64>().prop_map(serde_json::Value::from),
                    any::<f64>().prop_map(serde_json::Value::from),
                    "\\PC{0,40}".prop_map(serde_json::Value::from),
                    "-?[0-9]{0,30}\\.?[0-9]{0,30}".prop_map(serde_json::Value::from),
                ],
            ), 0..10),
            stock in any::<u32>(),
        ) {
            let _ = serde_json::from_slice::<ProductLine>(&bytes).map(|line| line.entry(stock));
            let fields: serde_json::Map<String, serde_json::Value> =
                changes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let _ = serde_json::from_value::<ProductLine>(fields.into()).map(|line| line.entry(stock));
        }
    }
}
