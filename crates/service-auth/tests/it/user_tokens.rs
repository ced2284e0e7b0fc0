//! What a user's token must be.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_free::hs256;
use serde_json::{Value, json};
use service_auth::{AuthError, Role, UserVerifier};
use service_kit::Clock;

use crate::forge::{Forge, NOW, USER, now, user_claims, user_header, with};

fn verifier(forge: &Forge) -> UserVerifier {
    let jwks = json!({ "keys": [forge.jwk("k1")] });
    UserVerifier::try_fixed(&jwks, "mercato", "mercato", Clock::manual(now())).unwrap()
}

async fn refused(verifier: &UserVerifier, token: &str) -> AuthError {
    verifier.verify(token).await.unwrap_err()
}

#[tokio::test]
async fn a_good_token_names_the_user() {
    let forge = Forge::new();
    let user = verifier(&forge)
        .verify(&forge.user(&user_claims()))
        .await
        .unwrap();
    assert_eq!(user.id.to_string(), USER);
    assert!(user.has(Role::Customer) && !user.is_staff());
    assert_eq!(user.expires_at.timestamp(), NOW + 900);
}

#[tokio::test]
async fn the_header_decides_nothing() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    for alg in [
        "none", "None", "NONE", "nOnE", "HS256", "RS256", "ES384", "ES256", "EDDSA", "",
    ] {
        let token = forge.token(&with(user_header(), "alg", json!(alg)), &user_claims());
        assert_eq!(
            refused(&verifier, &token).await,
            AuthError::Invalid("algorithm"),
            "{alg}"
        );
    }
    for (name, value) in [
        ("jwk", forge.jwk("k1")),
        ("jku", json!("http://127.0.0.1:1/jwks")),
        ("x5u", json!("http://127.0.0.1:1/cert")),
        ("x5c", json!(["MII"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("cty", json!("JWT")),
    ] {
        let token = forge.token(&with(user_header(), name, value), &user_claims());
        assert_eq!(
            refused(&verifier, &token).await,
            AuthError::Invalid("header"),
            "{name}"
        );
    }
    for typ in ["JWT", "svc+jwt", "AT+JWT", "application/at+jwt"] {
        let token = forge.token(&with(user_header(), "typ", json!(typ)), &user_claims());
        assert_eq!(
            refused(&verifier, &token).await,
            AuthError::Invalid("type"),
            "{typ}"
        );
    }
    for missing in ["alg", "typ", "kid"] {
        let token = forge.token(&with(user_header(), missing, Value::Null), &user_claims());
        assert_eq!(
            refused(&verifier, &token).await,
            AuthError::Invalid("header"),
            "{missing}"
        );
    }
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    let header = with(user_header(), "alg", json!("HS256")).to_string();
    for secret in [
        forge.pair.public_pem.as_bytes(),
        forge.pair.public_pem.trim().as_bytes(),
    ] {
        let token = hs256(&header, &user_claims().to_string(), secret);
        assert_eq!(refused(&verifier, &token).await, AuthError::Invalid("algorithm"));
        // The same under an honest-looking header.
        let token = hs256(&user_header().to_string(), &user_claims().to_string(), secret);
        assert!(matches!(
            refused(&verifier, &token).await,
            AuthError::Invalid("signature" | "malformed")
        ));
    }
}

#[tokio::test]
async fn odd_key_ids_are_refused_without_a_look() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    let long = "k".repeat(65);
    for kid in ["", "../../etc/passwd", "k1' OR 1=1 --", "k1\u{0}", &long] {
        let token = forge.token(&with(user_header(), "kid", json!(kid)), &user_claims());
        assert_eq!(
            refused(&verifier, &token).await,
            AuthError::Invalid("key id"),
            "{kid}"
        );
    }
    let token = forge.token(
        &with(user_header(), "kid", json!("k".repeat(10 * 1024))),
        &user_claims(),
    );
    assert_eq!(refused(&verifier, &token).await, AuthError::Invalid("too long"));
    let token = forge.token(&with(user_header(), "kid", json!("k2")), &user_claims());
    assert_eq!(
        refused(&verifier, &token).await,
        AuthError::Invalid("unknown key id")
    );
}

#[tokio::test]
async fn every_claim_is_required_in_its_one_type() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    for claim in ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "roles"] {
        let token = forge.user(&with(user_claims(), claim, Value::Null));
        assert!(
            matches!(refused(&verifier, &token).await, AuthError::Invalid(_)),
            "without {claim}"
        );
    }
    for (claim, value) in [
        ("exp", json!("1800000900")),
        ("exp", json!(1_800_000_900.5)),
        ("exp", json!(-1)),
        ("exp", json!(9_223_372_036_854_775_808_u64)),
        ("exp", json!(1e300)),
        ("exp", json!(NOW + 365 * 86_400)),
        ("nbf", json!("1")),
        ("nbf", json!(NOW + 3600)),
        ("iat", json!(NOW + 3600)),
        ("iss", json!("someone")),
        ("iss", json!(["mercato"])),
        ("aud", json!("other")),
        ("aud", json!(["mercato"])),
        ("aud", json!(["mercato", "other"])),
        ("sub", json!("usr_")),
        ("sub", json!("ord_01h455vb4pex5vsknk084sn02q")),
        ("sub", json!(1)),
        ("roles", json!("ADMIN")),
        ("roles", json!(["ROOT"])),
        ("sid", json!("x")),
    ] {
        let token = forge.user(&with(user_claims(), claim, value.clone()));
        assert!(
            matches!(refused(&verifier, &token).await, AuthError::Invalid(_)),
            "{claim} = {value}"
        );
    }
}

#[tokio::test]
async fn duplicate_claims_and_headers_are_refused() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    let claims = user_claims().to_string();
    let twice = claims.replacen('{', r#"{"sub":"usr_01h455vb4pex5vsknk084sn02p","#, 1);
    assert_eq!(
        refused(&verifier, &forge.raw(&user_header().to_string(), &twice)).await,
        AuthError::Invalid("claims")
    );
    let header = r#"{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#;
    assert_eq!(
        refused(&verifier, &forge.raw(header, &claims)).await,
        AuthError::Invalid("header")
    );
}

#[tokio::test]
async fn a_token_ends_when_it_says_give_or_take_seconds() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    let ended = |ago: i64| {
        with(
            with(user_claims(), "iat", json!(NOW - 900)),
            "exp",
            json!(NOW - ago),
        )
    };
    assert!(
        verifier.verify(&forge.user(&ended(10))).await.is_ok(),
        "clocks differ a little"
    );
    assert_eq!(
        refused(&verifier, &forge.user(&ended(31))).await,
        AuthError::Expired
    );
    assert_eq!(
        refused(&verifier, &forge.user(&ended(11))).await,
        AuthError::Expired
    );
}

#[tokio::test]
async fn damaged_tokens_are_refused() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    let good = forge.user(&user_claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for bit in [0, 100, 255, 300, 511] {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&flipped));
        assert!(verifier.verify(&token).await.is_err(), "bit {bit}");
    }
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let non_canonical = format!("{message}.{}{next}", &signature[..signature.len() - 1]);
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{good}.x"),
        format!("{good}.x.y"),
        format!("{good}="),
        format!("{message}."),
        format!(" {good}"),
        format!("{message}.{}", "A".repeat(65_536)),
        non_canonical,
    ] {
        assert!(
            verifier.verify(&bad).await.is_err(),
            "{}",
            &bad[..bad.len().min(80)]
        );
    }
    let nested = forge.raw(&user_header().to_string(), &format!("\"{good}\""));
    assert!(verifier.verify(&nested).await.is_err());
}

#[tokio::test]
async fn another_key_under_the_same_id_is_refused() {
    let (forge, stranger) = (Forge::new(), Forge::new());
    let token = stranger.user(&user_claims());
    assert_eq!(
        refused(&verifier(&forge), &token).await,
        AuthError::Invalid("signature")
    );
}

/// HMAC-SHA256 through the library under test's own encoder, as an attacker would.
mod hmac_free {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{Algorithm, EncodingKey, crypto};

    pub(super) fn hs256(header: &str, claims: &str, secret: &[u8]) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = crypto::sign(
            message.as_bytes(),
            &EncodingKey::from_secret(secret),
            Algorithm::HS256,
        )
        .unwrap();
        format!("{message}.{signature}")
    }
}

#[tokio::test]
async fn an_ended_session_is_refused_until_the_publisher_says_otherwise() {
    let forge = Forge::new();
    let verifier = verifier(&forge);
    let token = forge.user(&user_claims());
    assert!(verifier.verify(&token).await.is_ok());
    let keys = json!([forge.jwk("k1")]);
    let ended = json!({ "keys": keys, service_auth::ENDED_SESSIONS: [crate::forge::SESSION] });
    verifier.replace_keys(&ended).unwrap();
    assert_eq!(
        refused(&verifier, &token).await,
        AuthError::Invalid("session ended")
    );
    // A publisher that can't tell at present changes nothing.
    verifier.replace_keys(&json!({ "keys": keys })).unwrap();
    assert!(verifier.verify(&token).await.is_err());
    verifier
        .replace_keys(&json!({ "keys": keys, service_auth::ENDED_SESSIONS: [] }))
        .unwrap();
    assert!(verifier.verify(&token).await.is_ok());
}
