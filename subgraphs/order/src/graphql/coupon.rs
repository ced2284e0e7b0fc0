//! Coupons: what order adds to cart's carts, and what staff see of them.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::{CartId, CouponCode, Money};
use graphql_kit::page::Page;
use graphql_kit::{ApiError, MoneyInput, MoneyObject, PageInfoObject, Result, viewer};

use super::loader::{CouponFor, load};
use super::user_error::{OrderErrorCode, OrderUserError};
use crate::app::App;
use crate::domain::Coupon;
use crate::domain::coupon as rules;
use crate::domain::coupon::Saving;

/// A cart as its coupon sees it. Code and sum come from cart, through the router; they only choose what is shown, and
/// an order is priced anew.
pub(crate) struct Cart {
    pub(super) id: CartId,
    pub(super) code: Option<String>,
    pub(super) subtotal: Option<MoneyInput>,
}

/// What a shopper has chosen and not yet ordered.
#[Object]
impl Cart {
    /// The cart's id. Whoever knows a guest cart's id may use it.
    async fn id(&self) -> ID {
        ID(self.id.to_string())
    }

    /// The coupon that is to be used when the cart is ordered; what it takes off is told by `coupon`.
    #[graphql(external)]
    async fn coupon_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The sum of all lines at today's prices.
    #[graphql(external)]
    async fn subtotal(&self) -> Result<MoneyObject> {
        Ok(self.sum()?.into())
    }

    /// What the cart's coupon takes off its subtotal now, or why it takes nothing off; null without a coupon. It is
    /// asked again when the order is placed.
    #[graphql(requires = "couponCode subtotal { amount currencyCode }")]
    async fn coupon(&self, ctx: &Context<'_>) -> Result<Option<CartCoupon>> {
        let Some(code) = self
            .code
            .as_deref()
            .and_then(|code| code.parse::<CouponCode>().ok())
        else {
            return Ok(None);
        };
        let key = CouponFor {
            code: code.clone(),
            user: viewer(ctx).map(|viewer| viewer.id),
        };
        let subtotal = self.sum()?;
        let now = ctx.data_unchecked::<App>().now();
        let discount = match load(ctx, key).await? {
            Some((coupon, used)) => coupon.discount(subtotal, used, now),
            None => Err(rules::CouponProblem::Unknown),
        };
        Ok(Some(CartCoupon::new(&code, subtotal, discount)))
    }
}

impl Cart {
    fn sum(&self) -> Result<Money> {
        let missing = || ApiError::bad_input("the representation of a cart lacks its subtotal");
        self.subtotal.ok_or_else(missing)?.to_money()
    }
}

/// What a coupon does for a cart.
#[derive(SimpleObject)]
pub(crate) struct CartCoupon {
    /// Its code.
    code: String,
    /// What it takes off; nothing if there is a problem.
    discount: MoneyObject,
    /// What remains to be paid.
    total: MoneyObject,
    /// Why it takes nothing off. An order of this cart is refused until the coupon is removed or the reason is gone.
    problem: Option<CouponProblem>,
    /// The same for people.
    message: Option<String>,
}

impl CartCoupon {
    fn new(
        code: &CouponCode,
        subtotal: Money,
        discount: std::result::Result<Money, rules::CouponProblem>,
    ) -> Self {
        let off = discount.unwrap_or(Money::new(0, subtotal.currency));
        let total = Money::new(subtotal.amount_minor - off.amount_minor, subtotal.currency);
        Self {
            code: code.to_string(),
            discount: off.into(),
            total: total.into(),
            problem: discount.err().map(Into::into),
            message: discount.err().map(|problem| problem.to_string()),
        }
    }
}

/// Why a coupon takes nothing off.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::CouponProblem")]
pub(crate) enum CouponProblem {
    /// There is no coupon of this code.
    Unknown,
    /// It is not good yet.
    NotStarted,
    /// It is not good any more.
    Ended,
    /// As many orders use it as may.
    UsedUp,
    /// As many of your orders use it as may.
    UsedByYou,
    /// There is too little in the cart.
    BelowMinimum,
    /// It is for another currency.
    OtherCurrency,
}

/// A discount that an order has.
#[derive(SimpleObject)]
pub(crate) struct OrderDiscount {
    /// The coupon's code.
    code: String,
    /// What it took off.
    amount: MoneyObject,
}

impl From<&crate::domain::Discount> for OrderDiscount {
    fn from(discount: &crate::domain::Discount) -> Self {
        Self {
            code: discount.code.to_string(),
            amount: discount.amount.into(),
        }
    }
}

/// A coupon as staff see it.
#[derive(Clone)]
pub(crate) struct CouponObject(pub(super) Coupon);

/// A coupon.
#[Object(name = "Coupon", tag = "internal")]
impl CouponObject {
    /// What people type in.
    async fn code(&self) -> &str {
        self.0.code.as_str()
    }

    /// The share of the sum it takes off, in percent; null if it takes off an amount.
    async fn percent_off(&self) -> Option<i32> {
        match self.0.saving {
            Saving::Percent(percent) => Some(percent.into()),
            Saving::Amount(_) => None,
        }
    }

    /// The amount it takes off; null if it takes off a share.
    async fn amount_off(&self) -> Option<MoneyObject> {
        match self.0.saving {
            Saving::Percent(_) => None,
            Saving::Amount(money) => Some(money.into()),
        }
    }

    /// The least sum of a cart it is good for.
    async fn minimum_subtotal(&self) -> Option<MoneyObject> {
        self.0.minimum.map(Into::into)
    }

    /// From when on it is good.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }

    /// Until when; null is for ever.
    async fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.0.ends_at
    }

    /// How many orders may use it; null is any number.
    async fn max_redemptions(&self) -> Option<i32> {
        self.0.max_redemptions.map(count)
    }

    /// How many orders of one user may use it; null is any number.
    async fn max_redemptions_per_user(&self) -> Option<i32> {
        self.0.max_per_user.map(count)
    }

    /// How many orders use it. One that is cancelled gives it back.
    async fn redemptions(&self) -> i32 {
        count(self.0.redeemed)
    }

    /// Whether it is good now for anybody.
    async fn is_active(&self, ctx: &Context<'_>) -> bool {
        let now = ctx.data_unchecked::<App>().now();
        self.0.is_active(now)
    }
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A page of coupons.
pub(crate) struct CouponConnection(pub(super) Page<CouponObject>);

/// A page of coupons.
#[Object(tag = "internal")]
impl CouponConnection {
    /// The coupons, each with its cursor.
    async fn edges(&self) -> Vec<CouponEdge> {
        let edge = |(cursor, node): &(String, CouponObject)| CouponEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The coupons.
    async fn nodes(&self) -> Vec<CouponObject> {
        self.0.items.iter().map(|(_, coupon)| coupon.clone()).collect()
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// A coupon on a page.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct CouponEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The coupon.
    node: CouponObject,
}

/// A coupon to be made: one of `percentOff` and `amountOff`.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct CreateCouponInput {
    /// What people type in: 3 to 32 letters, digits and dashes.
    code: String,
    /// The share of the sum it takes off, 1 to 100 percent.
    percent_off: Option<i32>,
    /// The amount it takes off.
    amount_off: Option<MoneyInput>,
    /// The least sum of a cart it is good for, in the currency of `amountOff`.
    minimum_subtotal: Option<MoneyInput>,
    /// From when on it is good; now if absent.
    starts_at: Option<DateTime<Utc>>,
    /// Until when; for ever if absent.
    ends_at: Option<DateTime<Utc>>,
    /// How many orders may use it; any number if absent.
    max_redemptions: Option<i32>,
    /// How many orders of one user may use it; any number if absent.
    max_redemptions_per_user: Option<i32>,
}

impl CreateCouponInput {
    pub(super) fn parse(self, now: DateTime<Utc>) -> Result<Coupon> {
        let saving = match (self.percent_off, self.amount_off) {
            (Some(percent), None) => match u8::try_from(percent) {
                Ok(percent @ 1..=100) => Saving::Percent(percent),
                _ => return Err(bad("percentOff", "1 to 100")),
            },
            (None, Some(amount)) => Saving::Amount(positive(amount, "amountOff")?),
            _ => return Err(bad("percentOff", "one of percentOff and amountOff")),
        };
        let minimum = self
            .minimum_subtotal
            .map(|amount| positive(amount, "minimumSubtotal"))
            .transpose()?;
        if let (Saving::Amount(off), Some(minimum)) = (saving, minimum)
            && off.currency != minimum.currency
        {
            return Err(bad("minimumSubtotal", "of the currency of amountOff"));
        }
        let starts_at = self.starts_at.unwrap_or(now);
        if self.ends_at.is_some_and(|end| end <= starts_at) {
            return Err(bad("endsAt", "after the start"));
        }
        Ok(Coupon {
            code: code(&self.code)?,
            saving,
            minimum,
            starts_at,
            ends_at: self.ends_at,
            max_redemptions: at_least_one(self.max_redemptions, "maxRedemptions")?,
            max_per_user: at_least_one(self.max_redemptions_per_user, "maxRedemptionsPerUser")?,
            redeemed: 0,
            created_at: now,
        })
    }
}

/// A coupon to be ended now.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct EndCouponInput {
    /// Its code.
    code: String,
}

impl EndCouponInput {
    pub(super) fn parse(&self) -> Result<CouponCode> {
        code(&self.code)
    }
}

/// A coupon as it is after a mutation, or why nothing changed.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct CouponPayload {
    /// The coupon.
    coupon: Option<CouponObject>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<OrderUserError>,
}

impl CouponPayload {
    /// The coupon as it stands, or that there is none.
    pub(super) async fn of(ctx: &Context<'_>, code: CouponCode) -> Result<Self> {
        let found = load(ctx, CouponFor { code, user: None }).await?;
        Ok(found.map_or_else(Self::unknown, |(coupon, _)| Self {
            coupon: Some(CouponObject(coupon)),
            user_errors: Vec::new(),
        }))
    }

    pub(super) fn unknown() -> Self {
        Self::refused(OrderErrorCode::NotFound, "There is no such coupon")
    }

    pub(super) fn exists() -> Self {
        Self::refused(
            OrderErrorCode::CouponExists,
            "There is a coupon of this code already",
        )
    }

    fn refused(code: OrderErrorCode, message: &str) -> Self {
        Self {
            coupon: None,
            user_errors: vec![OrderUserError::new(code, message).at(&["input", "code"])],
        }
    }
}

fn code(text: &str) -> Result<CouponCode> {
    text.parse()
        .map_err(|error: contracts::coupon::NotACode| bad("code", &error.to_string()))
}

fn positive(amount: MoneyInput, field: &str) -> Result<Money> {
    let money = amount.to_money()?;
    if money.amount_minor < 1 {
        return Err(bad(field, "more than nothing"));
    }
    Ok(money)
}

fn at_least_one(count: Option<i32>, field: &str) -> Result<Option<u32>> {
    match count.map(u32::try_from).transpose() {
        Ok(Some(0)) | Err(_) => Err(bad(field, "1 or more")),
        Ok(count) => Ok(count),
    }
}

fn bad(field: &str, why: &str) -> ApiError {
    ApiError::bad_input(why).at(&["input", field])
}
