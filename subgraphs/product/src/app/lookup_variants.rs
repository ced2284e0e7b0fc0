//! Tell carts and orders what variants cost and whether they may be bought: always from the database.

use contracts::product::{VariantFacts, VariantLookup};
use contracts::{Problem, ProblemCode};

use crate::App;
use crate::store::{StoreError, variants};

/// Most variants of one question.
pub const MOST: usize = 500;

/// The facts of the variants that exist.
pub async fn lookup_variants(
    app: &App,
    question: &VariantLookup,
) -> Result<Result<VariantFacts, Problem>, StoreError> {
    if question.variant_ids.len() > MOST {
        return Ok(Err(Problem::new(
            ProblemCode::Invalid,
            format!("at most {MOST} variants at once"),
        )));
    }
    let variants = variants::facts(&app.pool, &question.variant_ids).await?;
    Ok(Ok(VariantFacts { variants }))
}
