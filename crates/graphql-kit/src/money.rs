//! Money at the graph's edge: exact decimals as text; integers of minor units inside.

use std::fmt;

use async_graphql::{
    InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value,
};
use contracts::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::error::{ApiError, Result};

/// An exact decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecimalScalar(pub Decimal);

/// An exact decimal number, written as a string such as "19.99". Never a float.
#[Scalar(name = "Decimal")]
impl ScalarType for DecimalScalar {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        // Plain digits only: no exponent, underscore or blank, and no more than 28 digits, so nothing is rounded.
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        match Decimal::from_str_exact(text) {
            Ok(decimal) if plain && text.len() <= 30 => Ok(Self(decimal)),
            _ => Err(InputValueError::custom(
                "expected a decimal number such as \"19.99\"",
            )),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

/// An ISO 4217 currency code: three upper-case letters, such as "USD".
#[Scalar(name = "CurrencyCode")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(text.parse()?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An exact amount of money in one currency.
#[derive(Clone, Copy, PartialEq, Eq, SimpleObject)]
#[graphql(name = "Money", shareable)]
pub struct MoneyObject {
    /// The amount in major units, with as many digits as the currency has.
    pub amount: DecimalScalar,
    /// The currency of the amount.
    pub currency_code: CurrencyCode,
}

impl fmt::Debug for MoneyObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.0, self.currency_code.0)
    }
}

impl From<Money> for MoneyObject {
    fn from(money: Money) -> Self {
        Self {
            amount: DecimalScalar(Decimal::new(money.amount_minor, money.currency.exponent())),
            currency_code: CurrencyCode(money.currency),
        }
    }
}

/// An exact amount of money in one currency.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct MoneyInput {
    /// The amount in major units, such as "19.99"; never negative.
    pub amount: DecimalScalar,
    /// The currency of the amount.
    pub currency_code: CurrencyCode,
}

impl MoneyInput {
    /// Whole minor units; negative, too fine or too large amounts are `BAD_USER_INPUT`.
    pub fn to_money(&self) -> Result<Money> {
        minor_units(self.amount, self.currency_code.0)
    }
}

impl DecimalScalar {
    /// Whole minor units of `currency`; negative, too fine or too large amounts are `BAD_USER_INPUT`.
    pub fn to_money(self, currency: Currency) -> Result<Money> {
        minor_units(self, currency)
    }
}

fn minor_units(amount: DecimalScalar, currency: Currency) -> Result<Money> {
    let refuse = |why: &str| ApiError::bad_input(why).at(&["amount"]);
    if amount.0.is_sign_negative() && !amount.0.is_zero() {
        return Err(refuse("an amount can't be negative"));
    }
    let minor = amount
        .0
        .checked_mul(Decimal::from(10_i64.pow(currency.exponent())))
        .ok_or_else(|| refuse("the amount is too large"))?;
    if !minor.fract().is_zero() {
        return Err(refuse("the amount has more digits than its currency"));
    }
    let minor = minor.to_i64().ok_or_else(|| refuse("the amount is too large"))?;
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Option<DecimalScalar> {
        DecimalScalar::parse(Value::from(text)).ok()
    }

    #[test]
    fn only_plain_decimals_are_read() {
        for text in ["19.99", "0", "-1.5", "100000000"] {
            assert_eq!(decimal(text).map(|d| d.0.to_string()).as_deref(), Some(text));
        }
        for text in [
            "",
            "1e400",
            "1e2",
            " 1",
            "1_000",
            "NaN",
            "١",
            "1.2.3",
            "\u{0}",
            "0.00000000000000000000000000000000001",
        ] {
            assert!(decimal(text).is_none(), "{text:?}");
        }
        assert!(DecimalScalar::parse(Value::from(19.99)).is_err(), "a float");
        assert!(DecimalScalar::parse(Value::from(19)).is_err(), "an integer");
    }

    #[test]
    fn amounts_fit_their_currency() {
        let money = |text, code: &str| decimal(text).unwrap().to_money(code.parse().unwrap());
        assert_eq!(money("19.99", "USD").unwrap(), Money::new(1999, Currency::USD));
        assert_eq!(money("19.9900", "USD").unwrap(), Money::new(1999, Currency::USD));
        assert_eq!(money("20", "JPY").unwrap().amount_minor, 20);
        for (text, code) in [
            ("0.001", "USD"),
            ("0.5", "JPY"),
            ("-1", "USD"),
            ("99999999999999999999", "USD"),
        ] {
            assert!(money(text, code).is_err(), "{text} {code}");
        }
    }

    proptest! {
        #[test]
        fn money_survives_the_edge(minor in 0..i64::MAX, code in "USD|JPY|KWD") {
            let money = Money::new(minor, code.parse().unwrap());
            let shown = MoneyObject::from(money);
            let read = decimal(&shown.amount.0.to_string()).unwrap();
            prop_assert_eq!(read.to_money(money.currency).unwrap(), money);
        }
    }
}
