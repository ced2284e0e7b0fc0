//! Product's prices.

use contracts::VariantId;
use contracts::product::{VariantFacts, VariantLookup};
use service_auth::{CallError, ServiceClient};

use crate::domain::Prices;

/// What product is asked.
#[derive(Clone)]
pub struct ProductClient(ServiceClient);

impl ProductClient {
    /// A client over a connection to product.
    pub fn new(client: ServiceClient) -> Self {
        Self(client)
    }

    /// Facts of variants, in one call; unknown ones are left out.
    pub(crate) async fn prices(&self, variant_ids: Vec<VariantId>) -> Result<Prices, CallError> {
        if variant_ids.is_empty() {
            return Ok(Prices::default());
        }
        let facts: VariantFacts = self
            .0
            .post("/variants/lookup", &VariantLookup { variant_ids })
            .await?;
        Ok(facts.variants.into_iter().collect())
    }
}
