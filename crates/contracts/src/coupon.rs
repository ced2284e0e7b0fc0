//! What cart and order call a coupon by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Fewest and most characters of a code.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=32;

/// A coupon's code: 3 to 32 of `A-Z 0-9 -`. People may write it in small letters and with blanks around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CouponCode(String);

/// A text that can't be a coupon's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a coupon's code has 3 to 32 letters, digits and dashes")]
pub struct NotACode;

impl CouponCode {
    /// The code as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CouponCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let code = text.trim().to_ascii_uppercase();
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        if LENGTH.contains(&code.len()) && code.bytes().all(plain) {
            Ok(Self(code))
        } else {
            Err(NotACode)
        }
    }
}

impl TryFrom<String> for CouponCode {
    type Error = NotACode;

    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<CouponCode> for String {
    fn from(code: CouponCode) -> Self {
        code.0
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        assert_eq!(
            " welcome-10 ".parse::<CouponCode>().unwrap().as_str(),
            "WELCOME-10"
        );
        for bad in ["", "AB", "A B C", "GÜNSTIG", "A_B_C", &"A".repeat(33)] {
            assert_eq!(bad.parse::<CouponCode>(), Err(NotACode), "{bad:?}");
        }
    }
}
