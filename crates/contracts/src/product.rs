//! What product tells other services.

use serde::{Deserialize, Serialize};

use crate::{CategoryId, Money, ProductId, Sku, VariantId};

/// Body of `POST /variants/lookup`: at most 500 ids; unknown ones are left out of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantLookup {
    /// The variants asked about.
    pub variant_ids: Vec<VariantId>,
}

/// Answer of `POST /variants/lookup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantFacts {
    /// One entry per known variant, in no particular order.
    pub variants: Vec<VariantFact>,
}

/// What a buyer's cart and order need to know of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantFact {
    /// The variant.
    pub variant_id: VariantId,
    /// Its SKU.
    pub sku: Sku,
    /// Its product.
    pub product_id: ProductId,
    /// The product's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<CategoryId>,
    /// Product and variant title, as an order line shows it.
    pub title: String,
    /// The price of one.
    pub price: Money,
    /// Whether it may be bought: its product is ACTIVE.
    pub for_sale: bool,
}
