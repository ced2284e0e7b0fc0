//! Objects and inputs: thin shapes over the domain's values.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::{CouponCode, Money};
use graphql_kit::{ApiError, CurrencyCode, MoneyObject, Result};
use tokio::sync::OnceCell;

use super::app;
use super::entity::ProductVariant;
use super::user_error::CartUserError;
use crate::app::{Outcome, Priced, price_cart};
use crate::domain::{Cart, Line, Quote};

/// A cart; its prices are asked for when somebody looks at them.
pub(crate) struct CartObject {
    cart: Cart,
    quotes: OnceCell<Vec<Quote>>,
}

impl CartObject {
    /// A cart whose prices are not known yet.
    pub(crate) fn unpriced(cart: Cart) -> Self {
        Self {
            cart,
            quotes: OnceCell::new(),
        }
    }

    async fn quotes(&self, ctx: &Context<'_>) -> &[Quote] {
        self.quotes
            .get_or_init(|| price_cart::quotes(app(ctx), &self.cart))
            .await
    }
}

impl From<Priced> for CartObject {
    fn from(priced: Priced) -> Self {
        Self {
            cart: priced.cart,
            quotes: OnceCell::new_with(Some(priced.quotes)),
        }
    }
}

/// What a shopper has chosen and not yet ordered.
#[Object(name = "Cart")]
impl CartObject {
    /// The cart's id. Whoever knows a guest cart's id may use it.
    async fn id(&self) -> ID {
        self.cart.id.to_string().into()
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.cart.version
    }

    /// What is in it, at today's prices.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<CartLine>> {
        let quotes = self.quotes(ctx).await;
        self.cart
            .lines
            .iter()
            .zip(quotes)
            .map(|(line, quote)| CartLine::new(line, quote))
            .collect()
    }

    /// Pieces in all lines.
    async fn total_quantity(&self) -> i32 {
        self.cart.total_quantity().cast_signed()
    }

    /// The sum of all lines at today's prices.
    async fn subtotal(&self, ctx: &Context<'_>) -> Result<MoneyObject> {
        let lines = self.cart.lines.iter().zip(self.quotes(ctx).await);
        let mut sum = Money::new(0, self.cart.currency);
        for (line, quote) in lines {
            sum = total(line, quote)
                .and_then(|money| sum.plus(money))
                .ok_or_else(too_much)?;
        }
        Ok(sum.into())
    }

    /// The coupon that is to be used when the cart is ordered; what it takes off is told by `coupon`.
    async fn coupon_code(&self) -> Option<&str> {
        self.cart.coupon.as_ref().map(CouponCode::as_str)
    }

    /// When the cart ends unless it is changed before.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.cart.expires_at
    }
}

fn total(line: &Line, quote: &Quote) -> Option<Money> {
    quote.unit_price.times(line.quantity)
}

fn too_much() -> ApiError {
    ApiError::internal("a cart's sum is beyond every amount")
}

/// A variant in a cart and how many of it.
#[derive(SimpleObject)]
pub(crate) struct CartLine {
    /// The line's id.
    id: ID,
    /// How many.
    quantity: i32,
    /// The price of one now; the one seen last when product can't be asked.
    unit_price: MoneyObject,
    /// Price times quantity.
    line_total: MoneyObject,
    /// Whether the price differs from what the shopper saw when the cart was last changed.
    price_changed: bool,
    /// Whether it can still be bought, as far as is known.
    is_available: bool,
    /// The variant.
    variant: Option<ProductVariant>,
}

impl CartLine {
    fn new(line: &Line, quote: &Quote) -> Result<Self> {
        Ok(Self {
            id: line.id.to_string().into(),
            quantity: line.quantity.cast_signed(),
            unit_price: quote.unit_price.into(),
            line_total: total(line, quote).ok_or_else(too_much)?.into(),
            price_changed: quote.changed,
            is_available: quote.for_sale,
            variant: Some(ProductVariant {
                id: line.variant_id.to_string().into(),
            }),
        })
    }
}

/// What came of a change of a cart.
#[derive(SimpleObject)]
pub(crate) struct CartPayload {
    /// The cart after the change; none when it was refused.
    cart: Option<CartObject>,
    /// Why it was refused; nothing was changed then.
    user_errors: Vec<CartUserError>,
}

impl From<Outcome<Priced>> for CartPayload {
    fn from(outcome: Outcome<Priced>) -> Self {
        match outcome {
            Ok(priced) => Self {
                cart: Some(priced.into()),
                user_errors: Vec::new(),
            },
            Err(refusals) => Self {
                cart: None,
                user_errors: refusals.into_iter().map(CartUserError::from).collect(),
            },
        }
    }
}

/// The cart to make.
#[derive(InputObject)]
pub(crate) struct CreateCartInput {
    /// The currency of all its lines.
    pub(crate) currency_code: CurrencyCode,
    /// What to put in at once.
    #[graphql(default)]
    pub(crate) lines: Vec<CartLineInput>,
    /// The same key and input answer the same cart. A guest's key must be as hard to guess as a random UUID.
    pub(crate) idempotency_key: ID,
}

/// A variant and how many of it.
#[derive(InputObject)]
pub(crate) struct CartLineInput {
    /// The variant.
    pub(crate) variant_id: ID,
    /// How many, 1 to 999.
    pub(crate) quantity: i32,
}

/// What to put into a cart.
#[derive(InputObject)]
pub(crate) struct AddCartLinesInput {
    /// The cart.
    pub(crate) cart_id: ID,
    /// What to put in; pieces of a variant that is there already join its line.
    pub(crate) lines: Vec<CartLineInput>,
    /// The version the shopper saw; refused when it is another by now.
    pub(crate) expected_version: Option<i32>,
    /// The same key and input have the same outcome and change nothing more.
    pub(crate) idempotency_key: ID,
}

/// A new quantity of one line.
#[derive(InputObject)]
pub(crate) struct SetCartLineQuantityInput {
    /// The cart.
    pub(crate) cart_id: ID,
    /// The line.
    pub(crate) line_id: ID,
    /// How many, 1 to 999; 0 takes the line out.
    pub(crate) quantity: i32,
    /// The version the shopper saw; refused when it is another by now.
    pub(crate) expected_version: Option<i32>,
}

/// The cart to empty.
#[derive(InputObject)]
pub(crate) struct ClearCartInput {
    /// The cart.
    pub(crate) cart_id: ID,
}

/// A coupon to use.
#[derive(InputObject)]
pub(crate) struct ApplyCouponInput {
    /// The cart.
    pub(crate) cart_id: ID,
    /// The coupon's code, in small or capital letters.
    pub(crate) code: String,
}

/// The cart whose coupon is not to be used.
#[derive(InputObject)]
pub(crate) struct RemoveCouponInput {
    /// The cart.
    pub(crate) cart_id: ID,
}

/// The guest cart to put into the user's own.
#[derive(InputObject)]
pub(crate) struct MergeCartInput {
    /// The guest cart; it is gone afterwards.
    pub(crate) guest_cart_id: ID,
}
