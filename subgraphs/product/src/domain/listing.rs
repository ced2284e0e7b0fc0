//! What a list of products may be asked: filter, order, and the place in that order where a page ends.

use contracts::{CategoryId, ProductId};
use serde::{Deserialize, Serialize};

use super::ProductStatus;

/// Which products; an absent field asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that title, brand or description must hold, each as a prefix.
    pub text: Option<String>,
    /// This category or one below it.
    pub category_id: Option<CategoryId>,
    /// Exactly this brand.
    pub brand: Option<String>,
    /// Cheapest variant costs at least this, in thousandths of the currency's unit.
    pub min_price: Option<i64>,
    /// Cheapest variant costs at most this, in thousandths of the currency's unit.
    pub max_price: Option<i64>,
    /// One of these; empty asks nothing.
    pub statuses: Vec<ProductStatus>,
}

impl Filter {
    /// The same filter with text that says something, or none.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.text = self
            .text
            .map(|text| text.replace('\0', " ").trim().to_owned())
            .filter(|text| !text.is_empty());
        self
    }

    /// The statuses as stored.
    pub fn stored_statuses(&self) -> Vec<String> {
        self.statuses
            .iter()
            .map(|status| status.as_str().to_owned())
            .collect()
    }
}

/// An order with a definite place for each product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Best match first; without text the newest first.
    Relevance,
    /// Newest first.
    Newest,
    /// Cheapest first.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// By title, A first.
    Title,
}

/// A list as it is run: what, in which order, how many after where.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Which products.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
}

impl Listing {
    /// A list in an order that suits its filter: relevance needs words, without them it is the newest first.
    pub fn new(filter: Filter, sort: Sort) -> Self {
        let filter = filter.normalised();
        let sort = match sort {
            Sort::Relevance if filter.text.is_none() => Sort::Newest,
            other => other,
        };
        Self { filter, sort }
    }

    /// Names the order inside cursors, so that a cursor of another order is refused.
    pub fn cursor_kind(&self) -> &'static str {
        match self.sort {
            Sort::Relevance => "products.relevance",
            Sort::Newest => "products.newest",
            Sort::PriceAsc => "products.price_asc",
            Sort::PriceDesc => "products.price_desc",
            Sort::Title => "products.title",
        }
    }
}

/// The value a product is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// Microseconds since 1970, a price, or a rank in millionths.
    Number(i64),
    /// A folded title.
    Text(String),
}

/// A place in an order: the sort key, and the id that settles ties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The value ordered by.
    #[serde(rename = "k")]
    pub key: SortKey,
    /// The product.
    #[serde(rename = "i")]
    pub id: ProductId,
}

/// How the products of a list spread over one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// `brand` or `category`.
    pub name: &'static str,
    /// The most frequent first.
    pub values: Vec<FacetValue>,
}

/// One value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// What the filter takes.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Products that have it.
    pub count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relevance_needs_words() {
        for (text, sort) in [
            (None, Sort::Newest),
            (Some(" \0 "), Sort::Newest),
            (Some(" ice "), Sort::Relevance),
        ] {
            let filter = Filter {
                text: text.map(ToOwned::to_owned),
                ..Filter::default()
            };
            assert_eq!(Listing::new(filter, Sort::Relevance).sort, sort, "{text:?}");
        }
    }

    #[test]
    fn a_position_keeps_its_key_through_json() {
        for key in [SortKey::Number(-3), SortKey::Text("7".to_owned())] {
            let position = Position {
                key,
                id: ProductId::from_uuid(uuid::Uuid::from_u128(7)),
            };
            let json = serde_json::to_string(&position).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
        }
    }
}
