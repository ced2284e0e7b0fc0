//! Create a product with its variants, once per idempotency key.

use contracts::{CategoryId, ProductId, UserId};
use pg_kit::idempotency::{self, Claim, Scope};
use sqlx::PgConnection;

use super::Outcome;
use crate::App;
use crate::domain::{Fault, FaultCode, ProductDraft};
use crate::store::import::{self, Upsert};
use crate::store::{During, StoreError, categories, writes};

const MAX_KEY: usize = 200;

/// Creates the product, or says why not; the same key gives the same outcome.
pub async fn create_product(
    app: &App,
    actor: UserId,
    key: &str,
    category_id: CategoryId,
    draft: &ProductDraft,
) -> Outcome<ProductId> {
    let mut faults = draft.faults();
    if key.is_empty() || key.chars().count() > MAX_KEY || key.contains('\0') {
        faults.push(Fault::invalid(
            "A key has 1 to 200 characters.",
            &["idempotencyKey"],
        ));
    }
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let principal = actor.to_string();
    let scope = Scope {
        principal: &principal,
        operation: "createProduct",
        key,
    };
    let hash = idempotency::request_hash(&(category_id, draft));
    let mut tx = app.pool.begin().await.during("begin to create a product")?;
    let outcome = match idempotency::claim(&mut tx, &scope, &hash)
        .await
        .during("claim a key")?
    {
        Claim::Fresh => fresh_in_tx(app, &mut tx, category_id, draft).await?,
        Claim::Replay(stored) => return replay(stored),
        Claim::Reused => {
            let message = "This key came before with other input.";
            return Ok(Err(key_fault(FaultCode::IdempotencyKeyReused, message)));
        }
        Claim::InProgress => {
            let message = "The same request is being worked on: try again.";
            return Ok(Err(key_fault(FaultCode::InProgress, message)));
        }
    };
    idempotency::complete(&mut tx, &scope, &outcome)
        .await
        .during("complete a key")?;
    tx.commit().await.during("commit a new product")?;
    app.cache.begin_generation().await;
    Ok(outcome)
}

fn replay(stored: serde_json::Value) -> Outcome<ProductId> {
    serde_json::from_value(stored)
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
        .during("read a stored outcome")
}

fn key_fault(code: FaultCode, message: &str) -> Vec<Fault> {
    vec![Fault::new(code, message, &["idempotencyKey"])]
}

async fn fresh_in_tx(
    app: &App,
    tx: &mut PgConnection,
    category_id: CategoryId,
    draft: &ProductDraft,
) -> Outcome<ProductId> {
    writes::lock_in_tx(tx).await?;
    let faults = conflicts_in_tx(tx, category_id, draft).await?;
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let id = ProductId::generate();
    let new = [Upsert {
        id,
        category_id,
        draft,
    }];
    let at = app.clock.now();
    import::products_in_tx(tx, &new, at).await?;
    import::variants_in_tx(tx, &new, at).await?;
    Ok(Ok(id))
}

async fn conflicts_in_tx(
    tx: &mut PgConnection,
    category_id: CategoryId,
    draft: &ProductDraft,
) -> Result<Vec<Fault>, StoreError> {
    let mut faults = Vec::new();
    if !categories::exists_in_tx(tx, category_id).await? {
        faults.push(Fault::new(
            FaultCode::NotFound,
            "There is no such category.",
            &["categoryId"],
        ));
    }
    let skus: Vec<_> = draft.variants.iter().map(|variant| variant.sku.clone()).collect();
    let taken = writes::taken_in_tx(tx, std::slice::from_ref(&draft.slug), &skus).await?;
    if !taken.slugs.is_empty() {
        faults.push(Fault::new(
            FaultCode::SlugTaken,
            "Another product has this slug.",
            &["slug"],
        ));
    }
    for (index, sku) in skus.iter().enumerate() {
        if taken.skus.contains_key(sku) {
            let at = index.to_string();
            let field = ["variants", at.as_str(), "sku"];
            faults.push(Fault::new(
                FaultCode::SkuTaken,
                "Another variant has this SKU.",
                &field,
            ));
        }
    }
    Ok(faults)
}
