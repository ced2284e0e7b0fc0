//! The file of baskets, read twice: once for who and what is in it, once to replay it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::console::Console;
use crate::ndjson;

/// What a household bought at once.
#[derive(Debug, Clone, Deserialize)]
pub struct Basket {
    /// Its number.
    pub basket_id: u64,
    /// Whose it is.
    pub household_id: u64,
    /// What is in it.
    pub lines: Vec<BasketLine>,
}

/// A product of a basket.
#[derive(Debug, Clone, Deserialize)]
pub struct BasketLine {
    /// The product.
    pub product_id: u64,
    /// How many.
    pub quantity: u32,
}

/// Who and what a file holds.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) baskets: u64,
    pub(super) households: Vec<u64>,
    pub(super) products: Vec<u64>,
}

/// Reads the file for its households and products, and names the lines that are no baskets.
pub(super) fn scan(path: &Path, limit: Option<usize>, console: &Console) -> Result<Scan> {
    let lines = ndjson::open::<Basket>(path).with_context(|| path.display().to_string())?;
    let (mut baskets, mut households, mut products) = (0, BTreeSet::new(), BTreeSet::new());
    for line in lines {
        let line = line?;
        match line.value {
            Err(why) => console.line(format_args!("line {}: {why}", line.number)),
            Ok(basket) => {
                baskets += 1;
                households.insert(basket.household_id);
                products.extend(basket.lines.iter().map(|line| line.product_id));
            }
        }
        if limit.is_some_and(|limit| baskets >= limit as u64) {
            break;
        }
    }
    anyhow::ensure!(baskets > 0, "{} holds no baskets", path.display());
    Ok(Scan {
        baskets,
        households: households.into_iter().collect(),
        products: products.into_iter().collect(),
    })
}

/// The baskets, one after the other.
pub(super) fn open(path: &Path, limit: Option<usize>) -> Result<impl Iterator<Item = Basket> + use<>> {
    let lines = ndjson::open::<Basket>(path).with_context(|| path.display().to_string())?;
    let baskets = lines.filter_map(|line| line.ok()?.value.ok());
    Ok(baskets.take(limit.unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_sees_what_the_replay_will() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let basket = |id: u64, household: u64, product: u64| {
            format!(
                r#"{{"basket_id":{id},"household_id":{household},"at":"2017-01-01T11:53:26","lines":[{{"product_id":{product},"quantity":1}}]}}"#
            )
        };
        let text = [
            basket(1, 9, 5),
            "nonsense".to_owned(),
            basket(2, 9, 6),
            basket(3, 8, 5),
        ]
        .join("\n");
        std::fs::write(file.path(), text).unwrap();
        let scan = scan(file.path(), Some(2), &Console::new()).unwrap();
        assert_eq!(
            (scan.baskets, scan.households, scan.products),
            (2, vec![9], vec![5, 6])
        );
        let ids: Vec<u64> = open(file.path(), None)
            .unwrap()
            .map(|basket| basket.basket_id)
            .collect();
        assert_eq!(ids, [1, 2, 3]);
    }
}
