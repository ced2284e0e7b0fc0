//! Checks a cart's prices with product: one call for all lines.

use contracts::VariantId;

use super::Error;
use crate::App;
use crate::domain::{Cart, Prices, Quote};

/// A cart and what its lines cost now, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Priced {
    pub(crate) cart: Cart,
    pub(crate) quotes: Vec<Quote>,
}

/// What the lines cost now. When product does not answer, what the shopper saw last.
pub(crate) async fn quotes(app: &App, cart: &Cart) -> Vec<Quote> {
    let prices = if_known(prices(app, cart, std::iter::empty()).await);
    look(&[cart], cart, prices.as_ref())
}

/// Prices of a cart's variants and of some more.
pub(super) async fn prices(
    app: &App,
    cart: &Cart,
    more: impl Iterator<Item = VariantId>,
) -> Result<Prices, Error> {
    let mut variants: Vec<VariantId> = cart
        .lines
        .iter()
        .map(|line| line.variant_id)
        .chain(more)
        .collect();
    variants.sort_unstable();
    variants.dedup();
    Ok(app.product.prices(variants).await?)
}

/// The prices, or none when product does not answer.
pub(super) fn if_known(prices: Result<Prices, Error>) -> Option<Prices> {
    prices
        .inspect_err(|error| tracing::warn!(error = %error, "prices are not known, showing those seen last"))
        .ok()
}

/// A changed cart as its shopper sees it: against the prices seen before the change.
pub(super) fn look(before: &[&Cart], after: &Cart, prices: Option<&Prices>) -> Vec<Quote> {
    let seen = |line: &crate::domain::Line| {
        let known = before
            .iter()
            .flat_map(|cart| &cart.lines)
            .find(|old| old.id == line.id);
        known.unwrap_or(line).clone()
    };
    after
        .lines
        .iter()
        .map(|line| match prices {
            Some(prices) => prices.quote(&seen(line), after.currency),
            None => Prices::unknown(line, after.currency),
        })
        .collect()
}
