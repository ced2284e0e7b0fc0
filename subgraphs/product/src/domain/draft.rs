//! A product and its variants as somebody wants them written, and the rules they must meet.

use contracts::{Money, Sku};
use serde::Serialize;

use super::{Fault, ProductStatus};

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;
const MAX_VARIANTS: usize = 100;
/// Ten billion units of a two-digit currency: far above any price, far below overflow when lines are added up.
const MAX_PRICE_MINOR: i64 = 1_000_000_000_000;

/// A product to write, less its category (each door names that its own way).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductDraft {
    /// Unique name in addresses.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Description, may be empty.
    pub description: String,
    /// Brand.
    pub brand: Option<String>,
    /// Address of a picture.
    pub image_url: Option<String>,
    /// Where it is in its life.
    pub status: ProductStatus,
    /// At least one.
    pub variants: Vec<VariantDraft>,
}

/// A variant to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariantDraft {
    /// Its SKU.
    pub sku: Sku,
    /// What tells it from its siblings.
    pub title: String,
    /// Price of one.
    pub price: Money,
    /// The former, higher price.
    pub compare_at: Option<Money>,
    /// Weight of one in grams.
    pub weight_grams: Option<i32>,
}

impl ProductDraft {
    /// All faults, with paths relative to the draft; empty means it may be written.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !is_slug(&self.slug) {
            faults.push(Fault::invalid(
                "A slug has 1 to 120 characters of a-z, 0-9 and single hyphens between them.",
                &["slug"],
            ));
        }
        faults.extend(title_fault(&self.title));
        faults.extend(description_fault(&self.description));
        faults.extend(optional_text_fault(self.brand.as_deref(), 120, "brand"));
        faults.extend(optional_text_fault(self.image_url.as_deref(), 2_000, "imageUrl"));
        if self.variants.is_empty() || self.variants.len() > MAX_VARIANTS {
            faults.push(Fault::invalid("A product has 1 to 100 variants.", &["variants"]));
        }
        for (index, variant) in self.variants.iter().enumerate() {
            let at = index.to_string();
            faults.extend(
                variant
                    .faults()
                    .into_iter()
                    .map(|fault| fault.under(&["variants", &at])),
            );
            faults.extend(self.sibling_fault(index, variant, &at));
        }
        faults
    }

    fn sibling_fault(&self, index: usize, variant: &VariantDraft, at: &str) -> Option<Fault> {
        let first = self.variants.first()?;
        if variant.price.currency != first.price.currency {
            let field = ["variants", at, "price", "currencyCode"];
            return Some(Fault::invalid(
                "All variants of a product share one currency.",
                &field,
            ));
        }
        let twice = self.variants[..index]
            .iter()
            .any(|other| other.sku == variant.sku);
        twice.then(|| Fault::invalid("Two variants have this SKU.", &["variants", at, "sku"]))
    }
}

impl VariantDraft {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !is_sku(&self.sku) {
            faults.push(Fault::invalid(
                "A SKU has 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.",
                &["sku"],
            ));
        }
        faults.extend(title_fault(&self.title));
        faults.extend(price_fault(self.price));
        if self
            .compare_at
            .is_some_and(|former| !is_former_price(former, self.price))
        {
            faults.push(Fault::invalid(
                "The compare-at price is higher than the price and in its currency.",
                &["compareAtPrice"],
            ));
        }
        if self.weight_grams.is_some_and(|grams| grams < 0) {
            faults.push(Fault::invalid("A weight is not negative.", &["weightGrams"]));
        }
        faults
    }
}

/// Whether `former` may be shown struck out beside `price`.
fn is_former_price(former: Money, price: Money) -> bool {
    former.currency == price.currency
        && former.amount_minor > price.amount_minor
        && former.amount_minor <= MAX_PRICE_MINOR
}

/// What is wrong with a price, if anything.
pub fn price_fault(price: Money) -> Option<Fault> {
    let fits = (0..=MAX_PRICE_MINOR).contains(&price.amount_minor);
    (!fits).then(|| {
        Fault::invalid(
            "A price is not negative and not absurdly high.",
            &["price", "amount"],
        )
    })
}

/// What is wrong with a title, if anything.
pub(super) fn title_fault(title: &str) -> Option<Fault> {
    let fits = !title.trim().is_empty() && title.chars().count() <= MAX_TITLE && !has_control(title);
    (!fits).then(|| Fault::invalid("A title has 1 to 200 characters.", &["title"]))
}

/// What is wrong with a description, if anything.
pub(super) fn description_fault(description: &str) -> Option<Fault> {
    // New lines are welcome; a NUL can't be stored.
    let fits = description.chars().count() <= MAX_DESCRIPTION && !description.contains('\0');
    (!fits).then(|| Fault::invalid("A description has at most 10,000 characters.", &["description"]))
}

fn optional_text_fault(text: Option<&str>, max: usize, field: &str) -> Option<Fault> {
    let fits =
        text.is_none_or(|text| !text.trim().is_empty() && text.chars().count() <= max && !has_control(text));
    (!fits).then(|| Fault::invalid(format!("When given it has 1 to {max} characters."), &[field]))
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn is_slug(text: &str) -> bool {
    (1..=120).contains(&text.len())
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

fn is_sku(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Currency;

    fn variant(sku: &str) -> VariantDraft {
        VariantDraft {
            sku: sku.to_owned(),
            title: "One".to_owned(),
            price: Money::new(100, Currency::USD),
            compare_at: None,
            weight_grams: Some(1),
        }
    }

    fn draft() -> ProductDraft {
        ProductDraft {
            slug: "a-pot-2".to_owned(),
            title: "A pot".to_owned(),
            description: "Line one\nline two".to_owned(),
            brand: None,
            image_url: None,
            status: ProductStatus::Active,
            variants: vec![variant("POT-1"), variant("POT-2")],
        }
    }

    #[test]
    fn a_good_draft_has_no_fault() {
        assert_eq!(draft().faults(), []);
    }

    #[test]
    fn each_rule_names_its_field() {
        type Spoil = fn(&mut ProductDraft);
        let cases: [(Spoil, &str); 16] = [
            (|d| d.slug = "A".to_owned(), "slug"),
            (|d| d.slug = "a--b".to_owned(), "slug"),
            (|d| d.slug = String::new(), "slug"),
            (|d| d.title = " ".to_owned(), "title"),
            (|d| d.title = "x".repeat(201), "title"),
            (|d| d.description = "\0".to_owned(), "description"),
            (|d| d.brand = Some(String::new()), "brand"),
            (|d| d.image_url = Some("a\nb".to_owned()), "imageUrl"),
            (|d| d.variants.clear(), "variants"),
            (|d| d.variants[1].sku = "POT-1".to_owned(), "variants.1.sku"),
            (|d| d.variants[0].sku = "é".to_owned(), "variants.0.sku"),
            (
                |d| d.variants[0].price.amount_minor = -1,
                "variants.0.price.amount",
            ),
            (
                |d| d.variants[1].price.currency = Currency::EUR,
                "variants.1.price.currencyCode",
            ),
            (
                |d| d.variants[0].compare_at = Some(Money::new(100, Currency::USD)),
                "variants.0.compareAtPrice",
            ),
            (
                |d| d.variants[0].weight_grams = Some(-1),
                "variants.0.weightGrams",
            ),
            (|d| d.variants[1].title = String::new(), "variants.1.title"),
        ];
        for (spoil, field) in cases {
            let mut spoiled = draft();
            spoil(&mut spoiled);
            let fields: Vec<String> = spoiled.faults().iter().map(|f| f.field.join(".")).collect();
            assert_eq!(fields, [field]);
        }
    }
}
