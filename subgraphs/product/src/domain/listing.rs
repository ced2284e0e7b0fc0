//! What a list of products may be asked: filter, order, and the place in that order where a page ends.

use contracts::{CategoryId, ProductId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ProductStatus;

/// Which products; an absent field asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

    /// Tells filters apart, however long their text is.
    pub fn digest(&self) -> String {
        // Texts, numbers and ids always have a JSON form.
        let json = serde_json::to_vec(self).unwrap_or_default();
        format!("{:x}", Sha256::digest(json))
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

    /// The same list about another text; `None` when that says nothing, or there was none to put it in the place of.
    pub fn about(&self, text: &str) -> Option<Self> {
        self.filter.text.as_ref()?;
        let filter = Filter {
            text: Some(text.to_owned()),
            ..self.filter.clone()
        };
        let filter = filter.normalised();
        filter.text.as_ref()?;
        Some(Self {
            filter,
            sort: self.sort,
        })
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
    /// What was searched for, where that is not what was asked for: the next page is of the same list, whatever the
    /// catalogue knows by then.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<String>,
}

/// How the products of a list spread over one property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// `brand` or `category`.
    pub name: String,
    /// The most frequent first.
    pub values: Vec<FacetValue>,
}

/// One value of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    fn filters_that_differ_have_digests_that_differ() {
        let text = |text: &str| Filter {
            text: Some(text.to_owned()),
            ..Filter::default()
        };
        let filters = [
            Filter::default(),
            text("tea"),
            text("teas"),
            Filter {
                brand: Some("tea".to_owned()),
                ..Filter::default()
            },
            Filter {
                min_price: Some(1),
                ..Filter::default()
            },
            Filter {
                max_price: Some(1),
                ..Filter::default()
            },
            Filter {
                statuses: vec![ProductStatus::Active],
                ..Filter::default()
            },
        ];
        let digests: std::collections::HashSet<String> = filters.iter().map(Filter::digest).collect();
        assert_eq!(digests.len(), filters.len());
        assert_eq!(text("tea").digest(), filters[1].digest());
    }

    #[test]
    fn another_text_takes_the_place_of_one() {
        let list = |text: Option<&str>| {
            let filter = Filter {
                text: text.map(ToOwned::to_owned),
                ..Filter::default()
            };
            Listing::new(filter, Sort::Relevance)
        };
        let about = |text, other| list(text).about(other).and_then(|list| list.filter.text);
        assert_eq!(about(Some("cofee"), "coffee").as_deref(), Some("coffee"));
        assert_eq!(about(Some("cofee"), " \0"), None);
        assert_eq!(about(None, "coffee"), None);
    }

    #[test]
    fn a_position_keeps_its_key_through_json() {
        for (key, corrected) in [
            (SortKey::Number(-3), None),
            (SortKey::Text("7".to_owned()), Some("tea".to_owned())),
        ] {
            let position = Position {
                key,
                id: ProductId::from_uuid(uuid::Uuid::from_u128(7)),
                corrected,
            };
            let json = serde_json::to_string(&position).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
        }
    }
}
