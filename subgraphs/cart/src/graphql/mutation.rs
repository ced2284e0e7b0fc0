//! The mutation root: guard, parse, one call, map.

use async_graphql::{Context, ID, Object};
use contracts::CartId;
use graphql_kit::{ApiError, Result, parse_id, require_user};

use super::types::{
    AddCartLinesInput, ApplyCouponInput, CartLineInput, CartPayload, ClearCartInput, CreateCartInput,
    MergeCartInput, RemoveCouponInput, SetCartLineQuantityInput,
};
use super::{app, fault, reader};
use crate::app::change_cart::{Request, change_cart};
use crate::app::create_cart::{NewCart, create_cart};
use crate::app::merge_cart::merge_cart;
use crate::app::{Error, Outcome, Priced};
use crate::domain::{Change, Reason, Refusal, Wanted};

/// Mutation root.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Makes a cart, for a guest or for the signed-in user, whose active cart it becomes.
    async fn create_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart to make.")] input: CreateCartInput,
    ) -> Result<CartPayload> {
        let asked = NewCart {
            currency: input.currency_code.0,
            lines: wanted(input.lines)?,
        };
        payload(create_cart(app(ctx), reader(ctx).user, &input.idempotency_key, asked).await)
    }

    /// Puts pieces into a cart.
    async fn add_cart_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to put in.")] input: AddCartLinesInput,
    ) -> Result<CartPayload> {
        if input.lines.is_empty() {
            return Err(ApiError::bad_input("there must be at least one line").at(&["input", "lines"]));
        }
        let mut request = request(ctx, &input.cart_id, Change::Add(wanted(input.lines)?))?;
        request.expected_version = input.expected_version;
        request.idempotency_key = Some(input.idempotency_key.0);
        payload(change_cart(app(ctx), request).await)
    }

    /// Sets how many of a line; 0 takes it out.
    async fn set_cart_line_quantity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new quantity.")] input: SetCartLineQuantityInput,
    ) -> Result<CartPayload> {
        let line_id = parse_id(&input.line_id, "lineId")?;
        let change = Change::SetQuantity {
            line_id,
            quantity: input.quantity,
        };
        let mut request = request(ctx, &input.cart_id, change)?;
        request.expected_version = input.expected_version;
        payload(change_cart(app(ctx), request).await)
    }

    /// Empties a cart.
    async fn clear_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart to empty.")] input: ClearCartInput,
    ) -> Result<CartPayload> {
        payload(change_cart(app(ctx), request(ctx, &input.cart_id, Change::Clear)?).await)
    }

    /// Puts a coupon into a cart, in the place of the one that is there. What it takes off, or why nothing, is told by
    /// the cart's `coupon`.
    async fn apply_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The coupon.")] input: ApplyCouponInput,
    ) -> Result<CartPayload> {
        let Ok(code) = input.code.parse() else {
            return payload(Ok(Err(vec![Refusal::at(Reason::CouponInvalid, &["code"])])));
        };
        let request = request(ctx, &input.cart_id, Change::SetCoupon(Some(code)))?;
        payload(change_cart(app(ctx), request).await)
    }

    /// Takes the coupon out of a cart.
    async fn remove_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart.")] input: RemoveCouponInput,
    ) -> Result<CartPayload> {
        let request = request(ctx, &input.cart_id, Change::SetCoupon(None))?;
        payload(change_cart(app(ctx), request).await)
    }

    /// Puts a guest cart into the signed-in user's active cart. A repeat answers the active cart.
    async fn merge_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The guest cart.")] input: MergeCartInput,
    ) -> Result<CartPayload> {
        let user = require_user(ctx)?.id;
        let guest_id: CartId = parse_id(&input.guest_cart_id, "guestCartId")?;
        payload(merge_cart(app(ctx), user, guest_id).await)
    }
}

fn request(ctx: &Context<'_>, cart_id: &ID, change: Change) -> Result<Request> {
    Ok(Request {
        cart_id: parse_id(cart_id, "cartId")?,
        viewer: reader(ctx).user,
        change,
        expected_version: None,
        idempotency_key: None,
    })
}

fn wanted(lines: Vec<CartLineInput>) -> Result<Vec<Wanted>> {
    let one = |line: CartLineInput| {
        let variant_id = parse_id(&line.variant_id, "variantId")?;
        Ok(Wanted {
            variant_id,
            quantity: line.quantity,
        })
    };
    lines.into_iter().map(one).collect()
}

fn payload(outcome: std::result::Result<Outcome<Priced>, Error>) -> Result<CartPayload> {
    outcome.map(CartPayload::from).map_err(|error| fault(&error))
}
