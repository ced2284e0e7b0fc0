//! Change a product's title, description or status, if nobody else changed it meanwhile.

use contracts::ProductId;

use super::{Outcome, forget_products};
use crate::App;
use crate::domain::{Fault, FaultCode, Product, ProductChange};
use crate::store::{During, writes};

/// Changes the product and answers it as it is now; a change that changes nothing keeps the version.
pub async fn update_product(
    app: &App,
    id: ProductId,
    expected_version: i32,
    change: &ProductChange,
) -> Outcome<Product> {
    let mut tx = app.pool.begin().await.during("begin to update a product")?;
    // Its words are counted again, as those of an import are: they take turns.
    writes::lock_in_tx(&mut tx).await?;
    let Some(product) = writes::hold_in_tx(&mut tx, id).await? else {
        let fault = Fault::new(FaultCode::NotFound, "There is no such product.", &["productId"]);
        return Ok(Err(vec![fault]));
    };
    if product.version != expected_version {
        return Ok(Err(vec![Fault::version_conflict()]));
    }
    let faults = change.faults(&product);
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let changed = change.applied_to(&product);
    if changed == product {
        return Ok(Ok(product));
    }
    writes::update_in_tx(&mut tx, &changed, app.clock.now()).await?;
    tx.commit().await.during("commit a product's update")?;
    forget_products(app, &[(id, changed.slug.clone())]).await?;
    Ok(Ok(changed))
}
