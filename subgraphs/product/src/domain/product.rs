//! A product groups the variants that are bought; both carry a version for optimistic writes.

use chrono::{DateTime, Utc};
use contracts::{CategoryId, Money, ProductId, Sku, VariantId};
use serde::{Deserialize, Serialize};

/// Where a product is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProductStatus {
    /// Being prepared; only staff see it.
    Draft,
    /// For sale.
    Active,
    /// No longer for sale; orders still show it.
    Archived,
}

impl ProductStatus {
    /// The stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
        }
    }

    /// The status of a stored text.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Archived]
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// Whether a product may change to `next`: what was published never becomes a draft again.
    pub fn may_become(self, next: Self) -> bool {
        self == next || next != Self::Draft
    }

    /// Whether a reference from elsewhere (a cart, an order) shows it to a person who is not staff.
    pub fn is_public_by_reference(self) -> bool {
        self != Self::Draft
    }
}

/// What the shop shows as one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Unique name in addresses; never changes.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Description, plain text.
    pub description: String,
    /// Brand.
    pub brand: Option<String>,
    /// Address of a picture, absolute or relative to the shop.
    pub image_url: Option<String>,
    /// Its category.
    pub category_id: CategoryId,
    /// Where it is in its life.
    pub status: ProductStatus,
    /// Grows by one with each change of the product's own facts.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// What is bought: one size, colour or pack of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// Status of its product, which decides who may see it.
    pub product_status: ProductStatus,
    /// Its SKU; never changes.
    pub sku: Sku,
    /// What tells it from its siblings, such as "Large".
    pub title: String,
    /// Price of one.
    pub price: Money,
    /// The former, higher price to show struck out.
    pub compare_at: Option<Money>,
    /// Weight of one in grams.
    pub weight_grams: Option<i32>,
    /// Grows by one with each change.
    pub version: i32,
}

/// A price in thousandths of its currency's unit: one integer that sorts and filters any currency. Saturates.
pub fn price_from(price: Money) -> i64 {
    let factor = 10_i64.saturating_pow(3_u32.saturating_sub(price.currency.exponent()));
    price.amount_minor.saturating_mul(factor)
}

/// What an order line shows: the product, and the variant where it says more.
pub fn line_title(product: &str, variant: &str) -> String {
    if variant.is_empty() || variant.eq_ignore_ascii_case(product) || variant.eq_ignore_ascii_case("default")
    {
        product.to_owned()
    } else {
        format!("{product}, {variant}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Currency;

    #[test]
    fn what_was_published_never_becomes_a_draft() {
        use ProductStatus::{Active, Archived, Draft};
        for (from, to, allowed) in [
            (Draft, Active, true),
            (Draft, Draft, true),
            (Draft, Archived, true),
            (Active, Archived, true),
            (Archived, Active, true),
            (Active, Draft, false),
            (Archived, Draft, false),
        ] {
            assert_eq!(from.may_become(to), allowed, "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn a_price_sorts_in_thousandths_of_its_unit() {
        assert_eq!(price_from(Money::new(1999, Currency::USD)), 19_990);
        assert_eq!(price_from(Money::new(1999, "JPY".parse().unwrap())), 1_999_000);
        assert_eq!(price_from(Money::new(1999, "KWD".parse().unwrap())), 1_999);
        assert_eq!(price_from(Money::new(i64::MAX, Currency::USD)), i64::MAX);
    }
}
