//! Product: what things cost.

use contracts::VariantId;
use contracts::product::{VariantFact, VariantFacts, VariantLookup};
use service_auth::{CallError, ServiceClient};

/// Most variants in one lookup.
pub(crate) const MAX_VARIANTS: usize = 500;

/// The product service.
#[derive(Clone)]
pub(crate) struct Product(pub(super) ServiceClient);

impl Product {
    /// The known ones of these variants.
    pub(crate) async fn lookup(&self, variant_ids: Vec<VariantId>) -> Result<Vec<VariantFact>, CallError> {
        let body = VariantLookup { variant_ids };
        let facts: VariantFacts = self.0.post("/variants/lookup", &body).await?;
        Ok(facts.variants)
    }
}
