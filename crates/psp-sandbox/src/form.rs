//! Form bodies as Stripe's clients write them: flat keys, nesting in brackets (`metadata[order_id]`).

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::fault::Fault;

/// The parameters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a body or a query. A key given twice keeps its last value.
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A value; an empty one counts as absent.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A value that must be there.
    pub fn required(&self, key: &str) -> Result<&str, Fault> {
        self.get(key).ok_or_else(|| {
            Fault::param(
                key,
                "parameter_missing",
                &format!("Missing required param: {key}."),
            )
        })
    }

    /// A whole number of 1 or more; `None` when absent.
    pub fn amount(&self, key: &str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        let value: i64 = text.parse().map_err(|_| {
            Fault::param(
                key,
                "parameter_invalid_integer",
                &format!("Invalid integer: {text}"),
            )
        })?;
        if !(1..=99_999_999).contains(&value) {
            let message = "Amounts must be from 1 to 99999999 minor units.";
            return Err(Fault::param(key, "amount_too_small", message));
        }
        Ok(Some(value))
    }

    /// `true` or `false`; absent is false.
    pub fn flag(&self, key: &str) -> Result<bool, Fault> {
        match self.get(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Fault::param(
                key,
                "parameter_invalid_boolean",
                &format!("Invalid boolean: {other}"),
            )),
        }
    }

    /// The entries of one nested object: `metadata[order_id]` -> `order_id`.
    pub fn nested(&self, object: &str) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter_map(|(key, value)| {
                let inner = key.strip_prefix(object)?.strip_prefix('[')?.strip_suffix(']')?;
                Some((inner.to_owned(), value.clone()))
            })
            .collect()
    }

    /// A digest of all parameters, whatever their order.
    pub fn digest(&self, path: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(path.as_bytes());
        for (key, value) in &self.0 {
            for part in [key, value] {
                hash.update(part.len().to_be_bytes());
                hash.update(part.as_bytes());
            }
        }
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nested_keys_as_clients_encode_them() {
        let params =
            Params::parse(b"amount=1999&metadata[order_id]=ord_1&metadata%5Bnote%5D=a%20b+c&confirm=true");
        assert_eq!(params.amount("amount"), Ok(Some(1999)));
        assert_eq!(params.flag("confirm"), Ok(true));
        let metadata = params.nested("metadata");
        assert_eq!(metadata["order_id"], "ord_1");
        assert_eq!(metadata["note"], "a b c");
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["0", "-1", "1.5", "1e3", "100000000", "9223372036854775808"] {
            let params = Params::parse(format!("amount={text}").as_bytes());
            assert!(params.amount("amount").is_err(), "{text}");
        }
        assert!(Params::parse(b"amount=").required("amount").is_err());
    }

    #[test]
    fn a_digest_ignores_order_but_not_content() {
        let digest = |text: &str| Params::parse(text.as_bytes()).digest("/v1/refunds");
        assert_eq!(digest("a=1&b=2"), digest("b=2&a=1"));
        assert_ne!(digest("a=1&b=2"), digest("a=12&b="));
        assert_ne!(digest("a=1"), Params::parse(b"a=1").digest("/v1/other"));
    }
}
