//! Loads the stock of a catalogue.

use std::collections::BTreeMap;

use contracts::{Sku, UserId};
use pg_kit::idempotency::{Scope, request_hash};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::Error;
use super::once::{Begun, Once, begin, finish};
use super::transaction::retrying;
use crate::domain::Refusal;
use crate::domain::stock::{MAX_QUANTITY, is_sku};
use crate::store::stock;

/// Most lines of one import.
const MAX_IMPORT_LINES: usize = 200;
const REASON: &str = "import";

/// What came of it; stored, so that a repeat answers the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// SKUs that had fewer units before.
    pub(crate) raised: usize,
    /// SKUs that had as many already.
    pub(crate) unchanged: usize,
}

/// Sees to it that at least so many units of each SKU were received. "At least" makes it harmless to run an import
/// again, or to resume one, whatever its keys.
pub(crate) async fn import_stock(
    pool: &PgPool,
    by: UserId,
    key: &str,
    lines: Vec<(Sku, i32)>,
) -> Result<Once<Imported>, Error> {
    let wanted = canonical(lines)?;
    let principal = by.to_string();
    let scope = Scope {
        principal: &principal,
        operation: "importStock",
        key,
    };
    let hash = request_hash(&wanted);
    let (skus, quantities): (Vec<Sku>, Vec<i32>) = wanted.into_iter().unzip();
    retrying(|| async {
        let mut tx = match begin(pool, &scope, &hash).await? {
            Begun::Fresh(tx) => tx,
            Begun::Settled(settled) => return Ok(settled),
        };
        let raised = stock::receive_at_least(&mut tx, &skus, &quantities, REASON).await?;
        finish(
            tx,
            &scope,
            Imported {
                raised,
                unchanged: skus.len() - raised,
            },
        )
        .await
    })
    .await
}

/// In SKU order, each SKU once with its largest quantity.
fn canonical(lines: Vec<(Sku, i32)>) -> Result<BTreeMap<Sku, i32>, Refusal> {
    if lines.is_empty() || lines.len() > MAX_IMPORT_LINES {
        return Err(Refusal::Invalid(format!(
            "an import has 1 to {MAX_IMPORT_LINES} lines"
        )));
    }
    let mut wanted = BTreeMap::new();
    for (sku, quantity) in lines {
        if !is_sku(&sku) {
            return Err(Refusal::Invalid(
                "a SKU is 1 to 64 of A-Z a-z 0-9 . _ -".to_owned(),
            ));
        }
        if !(0..=MAX_QUANTITY).contains(&quantity) {
            return Err(Refusal::Invalid(format!(
                "a quantity is 0 to {MAX_QUANTITY}: {sku}"
            )));
        }
        let most = wanted.entry(sku).or_insert(quantity);
        *most = quantity.max(*most);
    }
    Ok(wanted)
}
