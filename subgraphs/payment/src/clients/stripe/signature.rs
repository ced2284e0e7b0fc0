//! `Stripe-Signature`: `t=seconds,v1=hex(HMAC-SHA256(secret, "t.body"))`, possibly several `v1` while a secret rotates.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How far a timestamp may be from now.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Why a webhook is refused. All look the same from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is missing or can't be read.
    #[error("no readable signature")]
    Unreadable,
    /// Older (or newer) than five minutes.
    #[error("the timestamp is too far from now")]
    Stale,
    /// Not made with our secret over this body.
    #[error("the signature is wrong")]
    Wrong,
}

/// Verifies the header over the body's very bytes. `secret` is one, or two with a comma between while the provider's
/// secret is rotated.
pub fn verify(secret: &str, header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), SignatureError> {
    let mut at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.split_once('=') {
            Some(("t", text)) => at = Some(text),
            Some(("v1", text)) => signatures.extend(hex::decode(text)),
            _ => {}
        }
    }
    let at = at.ok_or(SignatureError::Unreadable)?;
    let seconds: i64 = at.parse().map_err(|_| SignatureError::Unreadable)?;
    let signed_at = DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::Unreadable)?;
    if (now - signed_at).abs() > TOLERANCE {
        return Err(SignatureError::Stale);
    }
    for secret in secret
        .split(',')
        .map(str::trim)
        .filter(|secret| !secret.is_empty())
    {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::Wrong)?;
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        // `verify_slice` compares in constant time.
        let good = |signature: &Vec<u8>| mac.clone().verify_slice(signature).is_ok();
        if signatures.iter().any(good) {
            return Ok(());
        }
    }
    Err(SignatureError::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    // `printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test`
    const GOOD: &str = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn accepts_its_own_and_nothing_else() {
        let now = at(1_700_000_010);
        let header = format!("t=1700000000,v1={GOOD}");
        assert_eq!(verify("whsec_test", &header, b"{}", now), Ok(()));
        assert_eq!(
            verify("whsec_test", &header, b"{ }", now),
            Err(SignatureError::Wrong)
        );
        assert_eq!(
            verify("whsec_other", &header, b"{}", now),
            Err(SignatureError::Wrong)
        );
        let moved = format!("t=1700000001,v1={GOOD}");
        assert_eq!(
            verify("whsec_test", &moved, b"{}", now),
            Err(SignatureError::Wrong)
        );
        let short = format!("t=1700000000,v1={}", &GOOD[..62]);
        assert_eq!(
            verify("whsec_test", &short, b"{}", now),
            Err(SignatureError::Wrong)
        );
    }

    #[test]
    fn one_good_signature_of_several_is_enough() {
        let header = format!("t=1700000000,v1={},v0=x,v1={GOOD}", "00".repeat(32));
        assert_eq!(verify("whsec_test", &header, b"{}", at(1_700_000_000)), Ok(()));
    }

    #[test]
    fn five_minutes_are_the_limit() {
        let header = format!("t=1700000000,v1={GOOD}");
        assert_eq!(verify("whsec_test", &header, b"{}", at(1_700_000_300)), Ok(()));
        assert_eq!(
            verify("whsec_test", &header, b"{}", at(1_700_000_301)),
            Err(SignatureError::Stale)
        );
        assert_eq!(
            verify("whsec_test", &header, b"{}", at(1_699_999_699)),
            Err(SignatureError::Stale)
        );
    }

    #[test]
    fn nonsense_is_unreadable() {
        let now = at(1_700_000_000);
        for header in [
            "",
            "v1=00",
            "t=,v1=00",
            "t=abc,v1=00",
            "t=99999999999999999999,v1=00",
        ] {
            assert_eq!(
                verify("s", header, b"", now),
                Err(SignatureError::Unreadable),
                "{header}"
            );
        }
    }

    #[test]
    fn either_of_two_secrets_is_good_while_they_are_rotated() {
        let header = format!("t=1700000000,v1={GOOD}");
        for secrets in ["whsec_test,whsec_new", "whsec_new, whsec_test"] {
            assert!(
                verify(secrets, &header, b"{}", at(1_700_000_000)).is_ok(),
                "{secrets}"
            );
        }
        for secrets in ["whsec_new,whsec_other", "whsec_test whsec_new", ","] {
            assert!(
                verify(secrets, &header, b"{}", at(1_700_000_000)).is_err(),
                "{secrets}"
            );
        }
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_header_is_refused_without_a_panic(header in "\\PC{0,200}", body in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(verify("whsec_test", &header, &body, at(1_700_000_000)).is_err());
        }

        #[test]
        fn any_time_and_signature_are_refused_without_a_panic(time in any::<i64>(), signature in "[0-9a-f]{0,130}") {
            let header = format!("t={time},v1={signature},v1={GOOD}");
            prop_assume!(time != 1_700_000_000);
            let verified = verify("whsec_test", &header, b"{}", at(1_700_000_000));
            prop_assert!(verified.is_err());
        }
    }
}
