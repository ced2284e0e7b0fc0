//! Set what a variant costs, if nobody else changed the variant meanwhile.

use contracts::{Money, ProductId, VariantId};

use super::{Outcome, forget_products};
use crate::App;
use crate::domain::{Fault, FaultCode, price_fault};
use crate::store::{During, writes};

/// Sets the price and answers the product's id. The variant's version grows; the product's does not.
pub async fn set_variant_price(
    app: &App,
    id: VariantId,
    expected_version: i32,
    price: Money,
) -> Outcome<ProductId> {
    if let Some(fault) = price_fault(price) {
        return Ok(Err(vec![fault]));
    }
    let mut tx = app.pool.begin().await.during("begin to set a price")?;
    let Some(variant) = writes::hold_priced_in_tx(&mut tx, id).await? else {
        let fault = Fault::new(FaultCode::NotFound, "There is no such variant.", &["variantId"]);
        return Ok(Err(vec![fault]));
    };
    if variant.version != expected_version {
        return Ok(Err(vec![Fault::version_conflict()]));
    }
    if variant.currency != price.currency.as_str() {
        let message = format!("This variant is priced in {}.", variant.currency);
        return Ok(Err(vec![Fault::invalid(message, &["price", "currencyCode"])]));
    }
    writes::set_price_in_tx(&mut tx, id, price, app.clock.now()).await?;
    writes::refresh_price_from_in_tx(&mut tx, &[variant.product_id]).await?;
    tx.commit().await.during("commit a price")?;
    forget_products(app, &[(variant.product_id, variant.slug)]).await?;
    Ok(Ok(variant.product_id))
}
