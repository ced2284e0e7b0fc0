//! Load many products at once. Each is judged for itself: the bad ones are reported, the good ones written. Writing
//! the same again changes nothing, so a broken import is simply run again.

use std::collections::{HashMap, HashSet};

use contracts::ProductId;
use sqlx::PgConnection;

use super::{Outcome, forget_products};
use crate::App;
use crate::domain::{CategoryPath, Fault, FaultCode, ProductDraft};
use crate::store::import::{self, Upsert};
use crate::store::{During, StoreError, categories, writes};

/// Most products of one call.
pub const MOST: usize = 200;
/// Imports take turns; one that waited too long for its turn, or met a dead connection, tries again.
const ATTEMPTS: u32 = 4;

/// One product of an import.
#[derive(Debug, Clone)]
pub struct ImportItem {
    /// The product.
    pub draft: ProductDraft,
    /// Its category by names from the root.
    pub category_path: Vec<String>,
}

/// What an import came to.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The products of the good items, in the order of the input.
    pub products: Vec<ProductId>,
    /// How many of them are new.
    pub created: usize,
    /// How many of them existed and changed.
    pub updated: usize,
    /// What was wrong with the others; paths begin with the item's index.
    pub faults: Vec<Fault>,
}

/// A good item: its index in the input, and what is to be written.
struct Good<'a> {
    index: usize,
    path: CategoryPath,
    draft: &'a ProductDraft,
}

/// Loads the items; `Err` only when there are too many.
pub async fn import_products(app: &App, items: &[(usize, ImportItem)]) -> Outcome<Imported> {
    if items.len() > MOST {
        return Ok(Err(vec![Fault::invalid(
            format!("At most {MOST} products at once."),
            &[],
        )]));
    }
    let (good, faults) = judge(items);
    let mut attempt = 1;
    let mut imported = loop {
        match write(app, &good).await {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                tracing::info!(attempt, error = %error.source, "an import tries again");
                attempt += 1;
            }
            outcome => break outcome?,
        }
    };
    imported.faults.splice(0..0, faults);
    Ok(Ok(imported))
}

/// Sorts the items into good ones and faults, as far as the input alone tells.
fn judge(items: &[(usize, ImportItem)]) -> (Vec<Good<'_>>, Vec<Fault>) {
    let (mut good, mut faults) = (Vec::new(), Vec::new());
    let (mut slugs, mut skus) = (HashSet::new(), HashSet::new());
    for (index, item) in items {
        let mut wrong = item.draft.faults();
        let path = CategoryPath::try_new(&item.category_path).map_err(|fault| wrong.push(fault));
        if wrong.is_empty() {
            wrong.extend(seen_before(&item.draft, &slugs, &skus));
        }
        match path {
            Ok(path) if wrong.is_empty() => {
                slugs.insert(item.draft.slug.as_str());
                skus.extend(item.draft.variants.iter().map(|variant| variant.sku.as_str()));
                good.push(Good {
                    index: *index,
                    path,
                    draft: &item.draft,
                });
            }
            _ => faults.extend(wrong.into_iter().map(|fault| fault.under(&[&index.to_string()]))),
        }
    }
    (good, faults)
}

fn seen_before(draft: &ProductDraft, slugs: &HashSet<&str>, skus: &HashSet<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if slugs.contains(draft.slug.as_str()) {
        let message = "An earlier product of this import has this slug.";
        faults.push(Fault::new(FaultCode::SlugTaken, message, &["slug"]));
    }
    for (at, variant) in draft.variants.iter().enumerate() {
        if skus.contains(variant.sku.as_str()) {
            faults.push(sku_taken(at, "An earlier product of this import has this SKU."));
        }
    }
    faults
}

fn sku_taken(variant: usize, message: &str) -> Fault {
    Fault::new(
        FaultCode::SkuTaken,
        message,
        &["variants", &variant.to_string(), "sku"],
    )
}

async fn write(app: &App, good: &[Good<'_>]) -> Result<Imported, StoreError> {
    if good.is_empty() {
        return Ok(Imported::default());
    }
    let mut tx = app.pool.begin().await.during("begin an import")?;
    writes::lock_in_tx(&mut tx).await?;
    let slugs: Vec<String> = good.iter().map(|item| item.draft.slug.clone()).collect();
    let skus: Vec<String> = good
        .iter()
        .flat_map(|item| item.draft.variants.iter().map(|variant| variant.sku.clone()))
        .collect();
    let taken = writes::taken_in_tx(&mut tx, &slugs, &skus).await?;
    let (writable, faults) = without_foreign_skus(good, &taken);
    let changed = write_in_tx(app, &mut tx, &writable, &taken.slugs).await?;
    tx.commit().await.during("commit an import")?;
    let stale: Vec<(ProductId, String)> = writable
        .iter()
        .filter_map(|item| Some((*taken.slugs.get(&item.draft.slug)?, item.draft.slug.clone())))
        .collect();
    forget_products(app, &stale).await?;
    app.cache.begin_generation().await;
    Ok(Imported {
        created: changed.products.len() - stale.len(),
        updated: changed.updated,
        products: changed.products,
        faults,
    })
}

/// Leaves out items with a SKU of another product.
fn without_foreign_skus<'a, 'b>(
    good: &'b [Good<'a>],
    taken: &writes::Taken,
) -> (Vec<&'b Good<'a>>, Vec<Fault>) {
    let (mut writable, mut faults) = (Vec::new(), Vec::new());
    for item in good {
        let own = taken.slugs.get(&item.draft.slug);
        let before = faults.len();
        for (at, variant) in item.draft.variants.iter().enumerate() {
            let owner = taken.skus.get(&variant.sku);
            if owner.is_some() && owner != own {
                faults.push(
                    sku_taken(at, "A variant of another product has this SKU.")
                        .under(&[&item.index.to_string()]),
                );
            }
        }
        if faults.len() == before {
            writable.push(item);
        }
    }
    (writable, faults)
}

struct Written {
    products: Vec<ProductId>,
    updated: usize,
}

async fn write_in_tx(
    app: &App,
    tx: &mut PgConnection,
    items: &[&Good<'_>],
    known: &HashMap<String, ProductId>,
) -> Result<Written, StoreError> {
    let at = app.clock.now();
    let paths: Vec<CategoryPath> = items.iter().map(|item| item.path.clone()).collect();
    let categories = categories::ensure_in_tx(tx, &paths, at).await?;
    let mut upserts = Vec::with_capacity(items.len());
    for item in items {
        let Some(category_id) = categories.get(item.path.slug()).copied() else {
            return Err(sqlx::Error::RowNotFound).during("find the category of an imported product");
        };
        let id = known
            .get(&item.draft.slug)
            .copied()
            .unwrap_or_else(ProductId::generate);
        upserts.push(Upsert {
            id,
            category_id,
            draft: item.draft,
        });
    }
    let products: Vec<ProductId> = upserts.iter().map(|new| new.id).collect();
    let mut touched: HashSet<ProductId> = import::products_in_tx(tx, &upserts, at)
        .await?
        .into_iter()
        .collect();
    let skus: HashSet<String> = import::variants_in_tx(tx, &upserts, at)
        .await?
        .into_values()
        .collect();
    writes::refresh_price_from_in_tx(tx, &products).await?;
    let with_changed_variant = upserts.iter().filter(|new| {
        new.draft
            .variants
            .iter()
            .any(|variant| skus.contains(&variant.sku))
    });
    touched.extend(with_changed_variant.map(|new| new.id));
    let existing: HashSet<&ProductId> = known.values().collect();
    let updated = touched.iter().filter(|id| existing.contains(id)).count();
    Ok(Written { products, updated })
}
