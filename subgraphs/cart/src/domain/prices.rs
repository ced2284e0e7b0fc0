//! What product says of variants at one moment.

use std::collections::HashMap;

use contracts::product::VariantFact;
use contracts::{Currency, Money, VariantId};

use super::cart::Line;

/// Facts of the variants that product knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prices(HashMap<VariantId, VariantFact>);

impl FromIterator<VariantFact> for Prices {
    fn from_iter<I: IntoIterator<Item = VariantFact>>(facts: I) -> Self {
        Self(facts.into_iter().map(|fact| (fact.variant_id, fact)).collect())
    }
}

/// A line as a shopper sees it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    /// The price of one now, or the one seen last when there is no other.
    pub(crate) unit_price: Money,
    /// Whether that differs from what the shopper saw last.
    pub(crate) changed: bool,
    /// Whether it can be bought; true when nobody knows better.
    pub(crate) for_sale: bool,
}

impl Prices {
    /// The price of a variant that can be bought.
    pub(crate) fn of(&self, variant_id: VariantId) -> Option<Money> {
        self.0
            .get(&variant_id)
            .filter(|fact| fact.for_sale)
            .map(|fact| fact.price)
    }

    /// A line at these prices; one that can't be bought, or not in this currency, keeps the price seen last.
    pub(crate) fn quote(&self, line: &Line, currency: Currency) -> Quote {
        let seen = Money::new(line.seen_price_minor, currency);
        match self
            .of(line.variant_id)
            .filter(|price| price.currency == currency)
        {
            Some(unit_price) => Quote {
                unit_price,
                changed: unit_price != seen,
                for_sale: true,
            },
            None => Quote {
                unit_price: seen,
                changed: false,
                for_sale: false,
            },
        }
    }

    /// A line whose prices nobody could be asked about.
    pub(crate) fn unknown(line: &Line, currency: Currency) -> Quote {
        let unit_price = Money::new(line.seen_price_minor, currency);
        Quote {
            unit_price,
            changed: false,
            for_sale: true,
        }
    }
}
