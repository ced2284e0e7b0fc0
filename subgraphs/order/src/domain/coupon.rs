//! Coupons: what they take off, and when they are good for nothing.

use chrono::{DateTime, Utc};
use contracts::{CouponCode, Money};

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saving {
    /// A share of the sum of the lines, 1 to 100 percent, rounded down to a minor unit.
    Percent(u8),
    /// An amount.
    Amount(Money),
}

/// A coupon as it is sold or given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// What people type in.
    pub code: CouponCode,
    /// What it takes off.
    pub saving: Saving,
    /// The least sum of the lines it is good for.
    pub minimum: Option<Money>,
    /// From when on.
    pub starts_at: DateTime<Utc>,
    /// Until when; that moment no longer.
    pub ends_at: Option<DateTime<Utc>>,
    /// How many orders may use it.
    pub max_redemptions: Option<u32>,
    /// How many orders of one user may use it.
    pub max_per_user: Option<u32>,
    /// How many orders use it that are not cancelled.
    pub redeemed: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Why a coupon takes nothing off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CouponProblem {
    /// There is none of this code.
    #[error("there is no such coupon")]
    Unknown,
    /// Too early.
    #[error("the coupon is not good yet")]
    NotStarted,
    /// Too late.
    #[error("the coupon is not good any more")]
    Ended,
    /// As many orders use it as may.
    #[error("the coupon is used up")]
    UsedUp,
    /// As many orders of this user use it as may.
    #[error("you have used the coupon already")]
    UsedByYou,
    /// Too little in the cart.
    #[error("the cart is worth less than the coupon asks for")]
    BelowMinimum,
    /// It is made for another currency.
    #[error("the coupon is for another currency")]
    OtherCurrency,
}

/// A discount that an order has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    /// Whose.
    pub code: CouponCode,
    /// How much, 1 minor unit or more.
    pub amount: Money,
}

impl Coupon {
    /// Whether it is good now for anybody with enough in their cart.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        let begun = self.starts_at <= now && self.ends_at.is_none_or(|end| now < end);
        begun && self.max_redemptions.is_none_or(|most| self.redeemed < most)
    }

    /// What it takes off `subtotal` for somebody with `used` orders that use it. At least one minor unit remains to be
    /// paid, since a payment of nothing is none.
    pub fn discount(&self, subtotal: Money, used: u32, now: DateTime<Utc>) -> Result<Money, CouponProblem> {
        if now < self.starts_at {
            return Err(CouponProblem::NotStarted);
        }
        if self.ends_at.is_some_and(|end| end <= now) {
            return Err(CouponProblem::Ended);
        }
        if self.max_redemptions.is_some_and(|most| most <= self.redeemed) {
            return Err(CouponProblem::UsedUp);
        }
        if self.max_per_user.is_some_and(|most| most <= used) {
            return Err(CouponProblem::UsedByYou);
        }
        let other = |money: Money| money.currency != subtotal.currency;
        if self.minimum.is_some_and(other) {
            return Err(CouponProblem::OtherCurrency);
        }
        let wanted = match self.saving {
            Saving::Amount(money) if other(money) => return Err(CouponProblem::OtherCurrency),
            Saving::Amount(money) => money.amount_minor,
            Saving::Percent(percent) => share(subtotal.amount_minor, percent),
        };
        let amount = wanted.min(subtotal.amount_minor - 1);
        let enough = self
            .minimum
            .is_none_or(|least| least.amount_minor <= subtotal.amount_minor);
        if !enough || amount < 1 {
            return Err(CouponProblem::BelowMinimum);
        }
        Ok(Money::new(amount, subtotal.currency))
    }
}

/// Whole hundreds first, so that no product is beyond range.
const fn share(minor: i64, percent: u8) -> i64 {
    minor / 100 * percent as i64 + minor % 100 * percent as i64 / 100
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use contracts::Currency;
    use proptest::prelude::*;

    use super::*;

    fn coupon(saving: Saving) -> Coupon {
        Coupon {
            code: "WELCOME-10".parse().unwrap(),
            saving,
            minimum: None,
            starts_at: DateTime::UNIX_EPOCH,
            ends_at: None,
            max_redemptions: None,
            max_per_user: None,
            redeemed: 0,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn what_is_taken_off() {
        for (saving, subtotal, off) in [
            (Saving::Percent(10), 2998, 299),
            (Saving::Percent(100), 2998, 2997),
            (Saving::Percent(1), 100, 1),
            (Saving::Amount(usd(500)), 2998, 500),
            (Saving::Amount(usd(500)), 500, 499),
            (Saving::Amount(usd(500)), 2, 1),
        ] {
            assert_eq!(
                coupon(saving).discount(usd(subtotal), 0, at(0)),
                Ok(usd(off)),
                "{saving:?} of {subtotal}"
            );
        }
    }

    #[test]
    fn when_it_is_good_for_nothing() {
        let ten = coupon(Saving::Percent(10));
        let limited = Coupon {
            minimum: Some(usd(1000)),
            starts_at: at(10),
            ends_at: Some(at(20)),
            max_redemptions: Some(3),
            max_per_user: Some(1),
            redeemed: 2,
            ..ten.clone()
        };
        assert_eq!(limited.discount(usd(1000), 0, at(10)), Ok(usd(100)));
        let spent = Coupon {
            redeemed: 3,
            ..limited.clone()
        };
        let eur = Money::new(1000, Currency::EUR);
        for (coupon, subtotal, used, second, problem) in [
            (&limited, usd(1000), 0, 9, CouponProblem::NotStarted),
            (&limited, usd(1000), 0, 20, CouponProblem::Ended),
            (&spent, usd(1000), 0, 10, CouponProblem::UsedUp),
            (&limited, usd(1000), 1, 10, CouponProblem::UsedByYou),
            (&limited, usd(999), 0, 10, CouponProblem::BelowMinimum),
            (&limited, eur, 0, 10, CouponProblem::OtherCurrency),
            (
                &coupon(Saving::Amount(usd(5))),
                eur,
                0,
                10,
                CouponProblem::OtherCurrency,
            ),
            (&ten, usd(9), 0, 0, CouponProblem::BelowMinimum),
            (&ten, usd(1), 0, 0, CouponProblem::BelowMinimum),
            (&ten, usd(0), 0, 0, CouponProblem::BelowMinimum),
        ] {
            assert_eq!(coupon.discount(subtotal, used, at(second)), Err(problem));
        }
    }

    proptest! {
        #[test]
        fn something_is_taken_off_and_something_remains(percent in 1u8..=100, minor in 0i64..) {
            if let Ok(off) = coupon(Saving::Percent(percent)).discount(usd(minor), 0, at(0)) {
                prop_assert!(off.amount_minor >= 1 && off.amount_minor < minor);
                let exact = i128::from(minor) * i128::from(percent) / 100;
                prop_assert_eq!(i128::from(off.amount_minor), exact.min(i128::from(minor) - 1));
            }
        }
    }
}
