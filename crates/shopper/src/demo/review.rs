//! Who bought a thing may say what they think of it; who did not may not.

use anyhow::{Context, Result};

use super::scenario::Item;
use super::{Demo, newcomer};
use crate::graph::{Graph, GraphError};
use crate::operations::{
    BySkus, CreateReview, CreateReviewInput, Input, ReviewView, Reviewed, ReviewedProduct, outcome,
};
use crate::session::Session;

impl Demo<'_> {
    /// The shopper and a stranger review what the shopper bought; whether the right one of them could.
    pub(super) async fn review(&self, graph: &Graph) -> Result<bool> {
        self.console
            .line("\n== A review: accepted from who bought it, refused from who did not");
        let item = self.shop.item(Item::InStock).context("nothing was bought")?;
        let Some(product) = self.bought(&item.sku).await? else {
            self.console
                .line("   skipped: the review service does not answer (it needs Node.js)");
            return Ok(true);
        };
        let stranger = Session::join(graph, newcomer())
            .await
            .context("the stranger could not register")?;
        let refused = write(&stranger, &product.id).await;
        let accepted = write(&self.shopper, &product.id).await;
        let mut faults = Vec::new();
        match refused {
            Err(GraphError::Refused(errors)) if errors.iter().any(|error| error.code == "NOT_A_BUYER") => {
                self.console.line("   the stranger is refused: NOT_A_BUYER");
            }
            Err(error) => faults.push(format!("the stranger should be refused as NOT_A_BUYER: {error}")),
            Ok(_) => faults.push("a stranger's review was accepted".to_owned()),
        }
        match accepted {
            Ok(review) => self.console.line(format_args!(
                "   the buyer gives {} of 5 stars: {}",
                review.rating, review.title
            )),
            Err(error) => faults.push(format!("the buyer's review should be accepted: {error}")),
        }
        if let Some(now) = self.reviewed(&item.sku).await? {
            let average = now.average_rating.unwrap_or_default();
            let count = now.review_count.unwrap_or_default();
            self.console.line(format_args!(
                "   {}: {average:.1} of 5 stars from {count}",
                now.title
            ));
            if now.review_count != product.review_count.map(|count| count + 1) {
                faults.push("there should be one review more".to_owned());
            }
        }
        Ok(self.judged(&faults))
    }

    /// The product once the review service has heard that the shopper bought it; nothing when it does not answer.
    async fn bought(&self, sku: &str) -> Result<Option<ReviewedProduct>> {
        let may = |product: &Option<ReviewedProduct>| product.as_ref()?.viewer_can_review;
        let heard = |product: &Option<ReviewedProduct>| may(product) != Some(false);
        let product = self
            .until(self.patience / 6, async || self.reviewed(sku).await, heard)
            .await?;
        Ok(if may(&product).is_some() { product } else { None })
    }

    /// What is said of the product now, as the shopper sees it.
    async fn reviewed(&self, sku: &str) -> Result<Option<ReviewedProduct>> {
        let skus = vec![sku.to_owned()];
        let answer = self.shopper.run::<Reviewed>(&BySkus { skus }).await;
        match answer {
            Ok(found) => Ok(found
                .variants
                .into_iter()
                .flatten()
                .next()
                .map(|variant| variant.product)),
            Err(error) if error.is_temporary() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

async fn write(session: &Session, product_id: &str) -> Result<ReviewView, GraphError> {
    let input = CreateReviewInput {
        product_id: product_id.to_owned(),
        rating: 5,
        title: "Just what I ordered".to_owned(),
        body: "It came as it was shown, and the order could be watched all the way.".to_owned(),
        idempotency_key: uuid::Uuid::now_v7().to_string(),
    };
    let payload = session.run::<CreateReview>(&Input { input }).await?.create_review;
    outcome(payload.review, payload.user_errors)
}
