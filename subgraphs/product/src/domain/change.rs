//! A change of a product's own facts.

use super::draft::{description_fault, title_fault};
use super::{Fault, Product, ProductStatus};

/// What is to change; an absent field stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// New title.
    pub title: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// New status.
    pub status: Option<ProductStatus>,
}

impl ProductChange {
    /// Why the change can't be made to `product`; empty when it can.
    pub fn faults(&self, product: &Product) -> Vec<Fault> {
        let mut faults = Vec::new();
        faults.extend(self.title.as_deref().and_then(title_fault));
        faults.extend(self.description.as_deref().and_then(description_fault));
        if self.status.is_some_and(|next| !product.status.may_become(next)) {
            let message = "What was published can be archived, but never a draft again.";
            faults.push(Fault::invalid(message, &["status"]));
        }
        faults
    }

    /// The product with the change made, one version later when anything differs.
    #[must_use]
    pub fn applied_to(&self, product: &Product) -> Product {
        let mut changed = product.clone();
        if let Some(title) = &self.title {
            changed.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            changed.description.clone_from(description);
        }
        changed.status = self.status.unwrap_or(product.status);
        if changed != *product {
            changed.version += 1;
        }
        changed
    }
}
