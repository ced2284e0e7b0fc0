//! A cart and what can be done with it. Every change answers a new cart of the next version, or why not.

use chrono::{DateTime, Utc};
use contracts::{CartId, CartLineId, CouponCode, Currency, UserId, VariantId};
use serde::{Deserialize, Serialize};

use super::{Prices, Reason, Refusal};

/// Most different variants in a cart.
pub(crate) const MAX_LINES: usize = 200;
/// Most pieces of one variant.
pub(crate) const MAX_QUANTITY: i32 = 999;

/// A cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cart {
    pub(crate) id: CartId,
    /// None is a guest's cart: whoever knows its id may use it.
    pub(crate) owner: Option<UserId>,
    pub(crate) currency: Currency,
    /// Rises by one with every change; 0 was never stored.
    pub(crate) version: i32,
    pub(crate) lines: Vec<Line>,
    /// What the shopper typed in; order knows what it is good for.
    #[serde(default)]
    pub(crate) coupon: Option<CouponCode>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// One variant in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: CartLineId,
    pub(crate) variant_id: VariantId,
    pub(crate) quantity: u32,
    /// The price of one when the shopper last changed the cart.
    pub(crate) seen_price_minor: i64,
}

/// What a shopper does to a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Change {
    Add(Vec<Wanted>),
    SetQuantity {
        line_id: CartLineId,
        quantity: i32,
    },
    /// Puts a coupon in the place of the one that is there, or takes it out.
    SetCoupon(Option<CouponCode>),
    Clear,
}

impl Change {
    /// Whether it can't be done without knowing prices. Taking out can.
    pub(crate) fn needs_prices(&self) -> bool {
        matches!(self, Self::Add(_) | Self::SetQuantity { quantity: 1.., .. })
    }

    /// The variants it puts in.
    pub(crate) fn variants(&self) -> impl Iterator<Item = VariantId> {
        let wanted: &[Wanted] = match self {
            Self::Add(wanted) => wanted,
            Self::SetQuantity { .. } | Self::SetCoupon(_) | Self::Clear => &[],
        };
        wanted.iter().map(|piece| piece.variant_id)
    }
}

/// A variant to put in, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    pub(crate) variant_id: VariantId,
    pub(crate) quantity: i32,
}

impl Cart {
    /// An empty cart that was never stored.
    pub(crate) fn empty(
        id: CartId,
        owner: Option<UserId>,
        currency: Currency,
        expires_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            owner,
            currency,
            version: 0,
            lines: Vec::new(),
            coupon: None,
            expires_at,
        }
    }

    /// Whether this person may use the cart: anybody who knows a guest's cart, only the owner of a user's.
    pub(crate) fn is_open_to(&self, viewer: Option<UserId>) -> bool {
        self.owner.is_none() || self.owner == viewer
    }

    /// Every piece.
    pub(crate) fn total_quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// After a change. `new_ids` names new lines.
    pub(crate) fn apply(
        self,
        change: &Change,
        prices: &Prices,
        new_ids: impl FnMut() -> CartLineId,
    ) -> Result<Self, Vec<Refusal>> {
        match change {
            Change::Add(wanted) => self.add(wanted, prices, new_ids),
            Change::SetQuantity { line_id, quantity } => self.set_quantity(*line_id, *quantity, prices),
            Change::SetCoupon(coupon) => Ok(self.with_coupon(coupon.clone(), prices)),
            Change::Clear => Ok(self.clear()),
        }
    }

    /// With more pieces in it. Pieces of a variant that is there already join its line. The prices asked for become the
    /// ones seen. `new_ids` names new lines.
    pub(crate) fn add(
        mut self,
        wanted: &[Wanted],
        prices: &Prices,
        mut new_ids: impl FnMut() -> CartLineId,
    ) -> Result<Self, Vec<Refusal>> {
        let mut refused = Vec::new();
        for (n, piece) in wanted.iter().enumerate() {
            if let Err(refusal) = self.add_one(*piece, n, prices, &mut new_ids) {
                refused.push(refusal);
            }
        }
        if self.lines.len() > MAX_LINES {
            refused.push(Refusal::at(Reason::TooManyLines, &["lines"]));
        }
        if refused.is_empty() {
            Ok(self.changed(prices))
        } else {
            Err(refused)
        }
    }

    fn add_one(
        &mut self,
        piece: Wanted,
        n: usize,
        prices: &Prices,
        new_ids: &mut impl FnMut() -> CartLineId,
    ) -> Result<(), Refusal> {
        let quantity = check_quantity(piece.quantity)
            .ok_or_else(|| Refusal::at_line(Reason::QuantityInvalid, n, "quantity"))?;
        let price = prices
            .of(piece.variant_id)
            .ok_or_else(|| Refusal::at_line(Reason::VariantUnavailable, n, "variantId"))?;
        if price.currency != self.currency {
            return Err(Refusal::at_line(Reason::CurrencyMismatch, n, "variantId"));
        }
        if let Some(line) = self
            .lines
            .iter_mut()
            .find(|line| line.variant_id == piece.variant_id)
        {
            let sum = line.quantity + quantity;
            if sum > MAX_QUANTITY.unsigned_abs() {
                return Err(Refusal::at_line(Reason::QuantityInvalid, n, "quantity"));
            }
            line.quantity = sum;
            return Ok(());
        }
        let (id, variant_id, seen_price_minor) = (new_ids(), piece.variant_id, price.amount_minor);
        self.lines.push(Line {
            id,
            variant_id,
            quantity,
            seen_price_minor,
        });
        Ok(())
    }

    /// With another quantity of one line; 0 takes the line out.
    pub(crate) fn set_quantity(
        mut self,
        line_id: CartLineId,
        quantity: i32,
        prices: &Prices,
    ) -> Result<Self, Vec<Refusal>> {
        let at = |reason, field: &str| vec![Refusal::at(reason, &[field])];
        let Some(n) = self.lines.iter().position(|line| line.id == line_id) else {
            return Err(at(Reason::LineNotFound, "lineId"));
        };
        if quantity == 0 {
            self.lines.remove(n);
            return Ok(self.changed(prices));
        }
        let quantity = check_quantity(quantity).ok_or_else(|| at(Reason::QuantityInvalid, "quantity"))?;
        if prices.of(self.lines[n].variant_id).is_none() {
            return Err(at(Reason::VariantUnavailable, "lineId"));
        }
        self.lines[n].quantity = quantity;
        Ok(self.changed(prices))
    }

    /// With another coupon, or none.
    fn with_coupon(mut self, coupon: Option<CouponCode>, prices: &Prices) -> Self {
        self.coupon = coupon;
        self.changed(prices)
    }

    /// With nothing in it.
    pub(crate) fn clear(mut self) -> Self {
        self.lines.clear();
        self.coupon = None;
        self.changed(&Prices::default())
    }

    /// With a guest's lines in it; of a variant in both, the pieces add up, as far as a line may hold. The guest's
    /// coupon, which is the newer one, takes the place of the user's.
    pub(crate) fn take_over(mut self, guest: Self, prices: &Prices) -> Result<Self, Vec<Refusal>> {
        if guest.currency != self.currency {
            return Err(vec![Refusal::at(Reason::CurrencyMismatch, &["guestCartId"])]);
        }
        for line in guest.lines {
            match self
                .lines
                .iter_mut()
                .find(|own| own.variant_id == line.variant_id)
            {
                Some(own) => own.quantity = (own.quantity + line.quantity).min(MAX_QUANTITY.unsigned_abs()),
                None => self.lines.push(line),
            }
        }
        if self.lines.len() > MAX_LINES {
            return Err(vec![Refusal::at(Reason::TooManyLines, &["guestCartId"])]);
        }
        self.coupon = guest.coupon.or(self.coupon);
        Ok(self.changed(prices))
    }

    /// The next version; the shopper has seen these prices by now.
    fn changed(mut self, prices: &Prices) -> Self {
        for line in &mut self.lines {
            line.seen_price_minor = match prices.of(line.variant_id) {
                Some(price) if price.currency == self.currency => price.amount_minor,
                _ => line.seen_price_minor,
            };
        }
        self.version += 1;
        self
    }
}

fn check_quantity(quantity: i32) -> Option<u32> {
    (1..=MAX_QUANTITY)
        .contains(&quantity)
        .then(|| quantity.unsigned_abs())
}

#[cfg(test)]
mod tests;
