//! TypeIDs: a prefix that names the noun and a UUID in Crockford base32 (<https://github.com/jetify-com/typeid>).
//!
//! The same text stands in the graph, in events, in logs and in URLs; stores hold the bare UUID. An id never
//! authorises anything.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;

/// Why a text is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected}_ id")]
pub struct ParseIdError {
    /// The prefix the id should have had.
    pub expected: &'static str,
}

fn encode(uuid: Uuid) -> [u8; SUFFIX_LEN] {
    let mut rest = uuid.as_u128();
    let mut out = [b'0'; SUFFIX_LEN];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[usize::from((rest & 31) as u8)];
        rest >>= 5;
    }
    out
}

fn decode(suffix: &str) -> Option<Uuid> {
    // 26 characters hold 130 bits; the first may only be 0..7, else the value would not fit 128.
    if suffix.len() != SUFFIX_LEN || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    let mut value: u128 = 0;
    for byte in suffix.bytes() {
        let digit = ALPHABET.iter().position(|&a| a == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

macro_rules! type_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID that a store or a clock gave.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A new time-ordered id (UUIDv7).
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID, as stores keep it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let suffix = encode(self.0);
                write!(f, "{}_{}", $prefix, str::from_utf8(&suffix).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(ParseIdError { expected: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

type_ids! {
    /// A registered user.
    UserId = "usr";
    /// A login session: the family of one refresh token.
    SessionId = "ses";
    /// A product, which groups variants.
    ProductId = "prod";
    /// What is bought: one variant of a product, with a SKU and a price.
    VariantId = "var";
    /// A category of the catalogue.
    CategoryId = "cat";
    /// A cart; for guests its knowledge is its key, so it must come from a random UUID.
    CartId = "cart";
    /// One line of a cart.
    CartLineId = "cln";
    /// An order.
    OrderId = "ord";
    /// A payment of an order.
    PaymentId = "pay";
    /// A refund of a payment.
    RefundId = "rfd";
    /// Something a person was told in the shop.
    NotificationId = "ntf";
    /// A mail to be sent, and then sent.
    MailId = "mail";
    /// Where events are sent to, outside.
    WebhookEndpointId = "whe";
    /// An event on its way to an endpoint; what a receiver knows a repeat by.
    WebhookDeliveryId = "whd";
    /// An event, the same in outbox, broker and inbox.
    EventId = "evt";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_the_vectors_of_the_specification() {
        for (uuid, suffix) in [
            (
                "00000000-0000-0000-0000-000000000000",
                "00000000000000000000000000",
            ),
            (
                "00000000-0000-0000-0000-000000000001",
                "00000000000000000000000001",
            ),
            (
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
                "7zzzzzzzzzzzzzzzzzzzzzzzzz",
            ),
            (
                "01890a5d-ac96-774b-bcce-b302099a8057",
                "01h455vb4pex5vsknk084sn02q",
            ),
        ] {
            let id = OrderId::from_uuid(uuid.parse().unwrap());
            assert_eq!(id.to_string(), format!("ord_{suffix}"));
            assert_eq!(format!("ord_{suffix}").parse(), Ok(id));
        }
    }

    #[test]
    fn refuses_what_is_not_an_id() {
        for text in [
            "",
            "ord_",
            "ord",
            "usr_01h455vb4pex5vsknk084sn02q",
            "ord_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "ord_01h455vb4pex5vsknk084sn02",
            "ord_01h455vb4pex5vsknk084sn02qq",
            "ord_01H455VB4PEX5VSKNK084SN02Q",
            "ord_01h455vb4pex5vsknk084sn0iq",
            "ord_ééééééééééééé",
        ] {
            assert_eq!(
                text.parse::<OrderId>(),
                Err(ParseIdError { expected: "ord" }),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn round_trips(bits: u128) {
            let id = VariantId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse::<VariantId>(), Ok(id));
        }
    }
}
