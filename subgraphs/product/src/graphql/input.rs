//! Inputs of queries and mutations, and their translation into the domain's words.

use async_graphql::{Enum, ID, InputObject};
use contracts::{CategoryId, Money};
use graphql_kit::{ApiError, DecimalScalar, MoneyInput, parse_id};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::product::ProductStatus;
use crate::app::import_products::ImportItem;
use crate::domain::{self, Fault, Filter, ProductDraft, VariantDraft};

/// Which products a list holds; an absent field asks nothing.
#[derive(Default, InputObject)]
pub(super) struct ProductFilter {
    /// Words that title, brand or description hold, each as the beginning of a word.
    pub(super) text: Option<String>,
    /// Products of this category and of those below it.
    pub(super) category_id: Option<ID>,
    /// Products of exactly this brand.
    pub(super) brand: Option<String>,
    /// Products whose cheapest variant costs at least this.
    pub(super) min_price: Option<DecimalScalar>,
    /// Products whose cheapest variant costs at most this.
    pub(super) max_price: Option<DecimalScalar>,
    /// Products of this status; has an effect for staff only.
    #[graphql(tag = "internal")]
    pub(super) status: Option<ProductStatus>,
}

impl ProductFilter {
    pub(super) fn into_filter(self) -> graphql_kit::Result<Filter> {
        let category = self
            .category_id
            .map(|id| parse_id::<CategoryId>(&id, "filter.categoryId"));
        let min = self
            .min_price
            .map(|price| thousandths(price.0, Decimal::ceil, "minPrice"));
        let max = self
            .max_price
            .map(|price| thousandths(price.0, Decimal::floor, "maxPrice"));
        Ok(Filter {
            text: self.text,
            category_id: category.transpose()?,
            brand: self.brand,
            min_price: min.transpose()?,
            max_price: max.transpose()?,
            statuses: self.status.map(Into::into).into_iter().collect(),
        })
    }
}

fn thousandths(price: Decimal, round: fn(&Decimal) -> Decimal, field: &str) -> graphql_kit::Result<i64> {
    let thousandths = price.checked_mul(Decimal::ONE_THOUSAND);
    thousandths
        .and_then(|exact| round(&exact).to_i64())
        .ok_or_else(|| ApiError::bad_input("the amount is too large").at(&["filter", field]))
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Sort")]
pub(super) enum ProductSort {
    /// Best match first; without text the newest first.
    Relevance,
    /// Newest first.
    Newest,
    /// Cheapest first, by the cheapest variant.
    PriceAsc,
    /// Dearest first, by the cheapest variant.
    PriceDesc,
    /// By title, A first.
    Title,
}

/// A product to create.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(super) struct CreateProductInput {
    /// Unique name in addresses: a-z, 0-9 and single hyphens; never changes.
    pub(super) slug: String,
    /// Its title, 1 to 200 characters.
    pub(super) title: String,
    /// Its description, plain text, at most 10,000 characters.
    pub(super) description: String,
    /// Its category.
    pub(super) category_id: ID,
    /// Its brand.
    pub(super) brand: Option<String>,
    /// Address of its picture.
    pub(super) image_url: Option<String>,
    /// Where it begins its life.
    #[graphql(default_with = "ProductStatus::Active")]
    pub(super) status: ProductStatus,
    /// Its variants, 1 to 100, all in one currency.
    pub(super) variants: Vec<CreateVariantInput>,
    /// Names this request: the same key and input give the same outcome, however often they are sent.
    pub(super) idempotency_key: ID,
}

/// A variant to create.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(super) struct CreateVariantInput {
    /// Its unique stock keeping unit: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'; never changes.
    pub(super) sku: String,
    /// What tells it from its siblings.
    pub(super) title: String,
    /// The price of one.
    pub(super) price: MoneyInput,
    /// The former, higher price, to be shown struck out.
    pub(super) compare_at_price: Option<MoneyInput>,
    /// The weight of one in grams.
    pub(super) weight_grams: Option<i32>,
}

/// A change of a product; an absent field stays as it is.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(super) struct UpdateProductInput {
    /// The product.
    pub(super) product_id: ID,
    /// Its new title.
    pub(super) title: Option<String>,
    /// Its new description.
    pub(super) description: Option<String>,
    /// Its new status; what was published is never a draft again.
    pub(super) status: Option<ProductStatus>,
    /// The version that was read: the change is refused when it is no longer the current one.
    pub(super) expected_version: i32,
}

/// A new price of a variant.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(super) struct SetVariantPriceInput {
    /// The variant.
    pub(super) variant_id: ID,
    /// The price of one, in the variant's currency.
    pub(super) price: MoneyInput,
    /// The variant's version that was read: the change is refused when it is no longer the current one.
    pub(super) expected_version: i32,
}

/// Products to load.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(super) struct ImportProductsInput {
    /// At most 200.
    pub(super) products: Vec<ImportProductInput>,
}

/// A product to load: created, or made equal to this when its slug exists.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(super) struct ImportProductInput {
    /// Unique name in addresses: a-z, 0-9 and single hyphens.
    pub(super) slug: String,
    /// Its title, 1 to 200 characters.
    pub(super) title: String,
    /// Its description, plain text, at most 10,000 characters.
    #[graphql(default)]
    pub(super) description: String,
    /// Its category by names from the root, created where missing, such as GROCERY and FRZN ICE.
    pub(super) category_path: Vec<String>,
    /// Its brand.
    pub(super) brand: Option<String>,
    /// Address of its picture.
    pub(super) image_url: Option<String>,
    /// Where it is in its life.
    #[graphql(default_with = "ProductStatus::Active")]
    pub(super) status: ProductStatus,
    /// Its variants, 1 to 100, all in one currency; existing variants not named here stay.
    pub(super) variants: Vec<CreateVariantInput>,
}

impl CreateProductInput {
    pub(super) fn draft(&self) -> Result<ProductDraft, Fault> {
        Ok(ProductDraft {
            slug: self.slug.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            brand: self.brand.clone(),
            image_url: self.image_url.clone(),
            status: self.status.into(),
            variants: variant_drafts(&self.variants)?,
        })
    }
}

impl ImportProductInput {
    pub(super) fn item(self) -> Result<ImportItem, Fault> {
        let variants = variant_drafts(&self.variants)?;
        let draft = ProductDraft {
            slug: self.slug,
            title: self.title,
            description: self.description,
            brand: self.brand,
            image_url: self.image_url,
            status: self.status.into(),
            variants,
        };
        Ok(ImportItem {
            draft,
            category_path: self.category_path,
        })
    }
}

fn variant_drafts(variants: &[CreateVariantInput]) -> Result<Vec<VariantDraft>, Fault> {
    let numbered = variants.iter().enumerate();
    numbered
        .map(|(index, variant)| {
            variant
                .draft()
                .map_err(|fault| fault.under(&["variants", &index.to_string()]))
        })
        .collect()
}

impl CreateVariantInput {
    fn draft(&self) -> Result<VariantDraft, Fault> {
        let compare_at = self.compare_at_price.map(|price| money(price, "compareAtPrice"));
        Ok(VariantDraft {
            sku: self.sku.clone(),
            title: self.title.clone(),
            price: money(self.price, "price")?,
            compare_at: compare_at.transpose()?,
            weight_grams: self.weight_grams,
        })
    }
}

/// An amount that fits its currency, or the fault of the field.
pub(super) fn money(input: MoneyInput, field: &str) -> Result<Money, Fault> {
    input
        .to_money()
        .map_err(|error| Fault::invalid(error.message(), &[field, "amount"]))
}
