//! Secrets and signatures, as Standard Webhooks has them (<https://www.standardwebhooks.com>).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use standardwebhooks::{Webhook, WebhookError};

/// Bytes of a secret.
pub const SECRET_LEN: usize = 32;

/// A secret as a receiver writes it down.
pub fn shown(secret: &[u8]) -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(secret))
}

/// The value of `webhook-signature`: one for each secret, so that a receiver may know either.
pub fn signatures(
    secrets: &[Vec<u8>],
    id: &str,
    timestamp_s: i64,
    body: &str,
) -> Result<String, WebhookError> {
    let each = secrets
        .iter()
        .map(|secret| Webhook::from_bytes(secret.clone())?.sign(id, timestamp_s, body.as_bytes()));
    Ok(each.collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_the_specification_says() {
        let secret = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let (id, at, body) = (
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(
            signatures(std::slice::from_ref(&secret), id, at, body).unwrap(),
            one
        );
        let two = signatures(&[vec![1; SECRET_LEN], secret], id, at, body).unwrap();
        assert!(
            two.ends_with(&format!(" {one}")) && two.matches("v1,").count() == 2,
            "{two}"
        );
    }

    #[test]
    fn a_secret_is_shown_with_its_prefix() {
        assert_eq!(shown(&[0; 3]), "whsec_AAAA");
    }
}
