//! Everything that can be wrong with a token, by name.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde_json::{Value, json};

use crate::forge::{Mould, encode, hs256, now, raw, with};

impl Mould<'_> {
    /// Every fault that either kind can have, by name. `listener` is where a key would be fetched from.
    pub(crate) fn faults(&self, listener: &str) -> Vec<(String, String)> {
        let mut all = self.algorithms();
        all.extend(self.headers(listener));
        all.extend(self.times());
        all.extend(self.names());
        all.extend(self.shapes());
        all.extend(self.signatures());
        all
    }

    fn algorithms(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let claims = self.claims.to_string();
        for alg in ["none", "None", "NONE", "nOnE", "NoNe", ""] {
            let header = with(self.header.clone(), "alg", json!(alg)).to_string();
            let message = format!("{}.{}", encode(&header), encode(&claims));
            all.push((format!("alg {alg:?} without a signature"), format!("{message}.")));
            all.push((
                format!("alg {alg:?} with a good signature"),
                raw(self.key, &header, &claims),
            ));
        }
        let public = self.key.verifying_key();
        let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
        let der = public.to_public_key_der().unwrap();
        let secrets: [(&str, Vec<u8>); 6] = [
            ("the public key in PEM", pem.as_bytes().to_vec()),
            ("the public key in PEM, trimmed", pem.trim().as_bytes().to_vec()),
            ("the public key in DER", der.as_bytes().to_vec()),
            ("the bare public key", public.as_bytes().to_vec()),
            (
                "the public key in base64",
                STANDARD.encode(public.as_bytes()).into_bytes(),
            ),
            ("an empty secret", Vec::new()),
        ];
        for (name, secret) in secrets {
            let header = with(self.header.clone(), "alg", json!("HS256"));
            all.push((
                format!("HS256 with {name}"),
                hs256(&secret, &header, &self.claims),
            ));
        }
        for alg in [
            "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519", "Ed448", "EDDSA",
            "eddsa", "EdDSA ",
        ] {
            all.push((format!("alg {alg:?}"), self.with_header("alg", json!(alg))));
        }
        all.push(("no alg".to_owned(), self.with_header("alg", Value::Null)));
        all.push(("alg as a number".to_owned(), self.with_header("alg", json!(1))));
        all.push((
            "alg as a list".to_owned(),
            self.with_header("alg", json!(["EdDSA"])),
        ));
        all
    }

    fn headers(&self, listener: &str) -> Vec<(String, String)> {
        let own_key =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(self.stranger.verifying_key().as_bytes()) });
        let mut all = Vec::new();
        let by_stranger = |name: &str, to: Value| {
            let header = with(self.header.clone(), name, to);
            raw(self.stranger, &header.to_string(), &self.claims.to_string())
        };
        all.push(("an own key in jwk".to_owned(), by_stranger("jwk", own_key)));
        for name in ["jku", "x5u"] {
            all.push((
                format!("an own key at {name}"),
                by_stranger(name, json!(listener)),
            ));
        }
        all.push((
            "an own key in x5c".to_owned(),
            by_stranger("x5c", json!(["AAAA"])),
        ));
        for (name, value) in [
            ("jwk", json!({})),
            ("jku", json!(listener)),
            ("x5u", json!(listener)),
            ("x5c", json!([])),
            ("x5t", json!("AAAA")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("cty", json!("JWT")),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
            ("mercato", json!(true)),
        ] {
            all.push((
                format!("a header {name} = {value}"),
                self.with_header(name, value),
            ));
        }
        let kids = [
            ("path", "../../private/order"),
            ("absolute path", "/dev/null"),
            ("SQL", "x' OR '1'='1"),
            ("command", "|id"),
            ("address", "http://127.0.0.1/key"),
            ("NUL", "1000000002\u{0}"),
            ("blank", "1000000002 "),
            ("unknown", "9999999999"),
            ("empty", ""),
        ];
        for (name, kid) in kids {
            all.push((format!("kid: {name}"), self.with_header("kid", json!(kid))));
        }
        all.push((
            "kid of 10 KiB".to_owned(),
            self.with_header("kid", json!("k".repeat(10 * 1024))),
        ));
        all.push((
            "kid as a number".to_owned(),
            self.with_header("kid", json!(1_000_000_002)),
        ));
        all.push(("no kid".to_owned(), self.with_header("kid", Value::Null)));
        for typ in [
            "JWT",
            "jwt",
            "refresh+jwt",
            "",
            "application/at+jwt",
            "AT+JWT",
            "SVC+JWT",
        ] {
            all.push((format!("typ {typ:?}"), self.with_header("typ", json!(typ))));
        }
        let other = if self.header["typ"] == "at+jwt" {
            "svc+jwt"
        } else {
            "at+jwt"
        };
        all.push((
            "typ of the other kind".to_owned(),
            self.with_header("typ", json!(other)),
        ));
        all.push(("no typ".to_owned(), self.with_header("typ", Value::Null)));
        let text = self.header.to_string();
        let twice = format!("{},\"alg\":\"none\"}}", text.trim_end_matches('}'));
        all.push((
            "alg twice".to_owned(),
            raw(self.key, &twice, &self.claims.to_string()),
        ));
        all.push((
            "a header that is a list".to_owned(),
            raw(self.key, "[]", &self.claims.to_string()),
        ));
        all.push((
            "a header that is no JSON".to_owned(),
            raw(self.key, "{", &self.claims.to_string()),
        ));
        all
    }

    fn times(&self) -> Vec<(String, String)> {
        let now = now();
        let mut all = Vec::new();
        let huge: Value = serde_json::from_str("9223372036854775808").unwrap();
        let beyond: Value = serde_json::from_str("18446744073709551616").unwrap();
        for (name, claim, value) in [
            ("past", "exp", json!(now - 60)),
            ("long past", "exp", json!(1)),
            ("zero", "exp", json!(0)),
            ("missing", "exp", Value::Null),
            ("a text", "exp", json!((now + 60).to_string())),
            ("a fraction", "exp", json!(1.5e9)),
            ("negative", "exp", json!(-1)),
            ("2^63", "exp", huge.clone()),
            ("2^64", "exp", beyond),
            ("a list", "exp", json!([now + 60])),
            ("true", "exp", json!(true)),
            ("in a year", "exp", json!(now + 31_536_000)),
            ("in the future", "nbf", json!(now + 300)),
            ("a text", "nbf", json!(now.to_string())),
            ("2^63", "nbf", huge.clone()),
            ("negative", "nbf", json!(-1)),
            ("in the future", "iat", json!(now + 300)),
            ("missing", "iat", Value::Null),
            ("a text", "iat", json!(now.to_string())),
            ("2^63", "iat", huge),
        ] {
            all.push((format!("{claim}: {name}"), self.with_claim(claim, value)));
        }
        all
    }

    fn names(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let own = self.claims["aud"].clone();
        for (name, claim, value) in [
            ("wrong", "iss", json!("somebody")),
            ("missing", "iss", Value::Null),
            ("empty", "iss", json!("")),
            ("a list", "iss", json!([self.claims["iss"]])),
            ("a number", "iss", json!(1)),
            ("wrong", "aud", json!("another")),
            ("missing", "aud", Value::Null),
            ("empty", "aud", json!("")),
            ("a list with the right one", "aud", json!([own, "another"])),
            ("a list of the right one", "aud", json!([own])),
            (
                "a prefix",
                "aud",
                json!(format!("{}x", own.as_str().unwrap_or_default())),
            ),
            (
                "upper case",
                "aud",
                json!(own.as_str().unwrap_or_default().to_uppercase()),
            ),
            ("missing", "jti", Value::Null),
            ("a number", "jti", json!(1)),
        ] {
            all.push((format!("{claim}: {name}"), self.with_claim(claim, value)));
        }
        all
    }

    /// Faults of what only users' tokens say.
    pub(crate) fn user_claims(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, claim, value) in [
            ("missing", "sub", Value::Null),
            ("empty", "sub", json!("")),
            ("a number", "sub", json!(1)),
            ("of an order", "sub", json!("ord_01h455vb4pex5vsknk084sn02q")),
            ("SQL", "sub", json!("usr_' OR 1=1 --")),
            ("a UUID", "sub", json!("0188bac7-4b36-4d8a-9a3f-1c6b1d3c1c1a")),
            ("missing", "roles", Value::Null),
            ("a text", "roles", json!("ADMIN")),
            ("unknown", "roles", json!(["ROOT"])),
            ("lower case", "roles", json!(["admin"])),
            ("an object", "roles", json!({ "ADMIN": true })),
            ("missing", "sid", Value::Null),
            ("wrong", "sid", json!("session")),
        ] {
            all.push((format!("{claim}: {name}"), self.with_claim(claim, value)));
        }
        all
    }

    fn shapes(&self) -> Vec<(String, String)> {
        let good = self.good();
        let parts: Vec<&str> = good.split('.').collect();
        let (header, claims, signature) = (parts[0], parts[1], parts[2]);
        let text = self.claims.to_string();
        let open = text.trim_end_matches('}');
        let nested = json!(good).to_string();
        let padded = |part: &str| format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4));
        let big = self.with_claim("pad", json!("x".repeat(64 * 1024)));
        let mut all = vec![
            ("one segment".to_owned(), header.to_owned()),
            ("two segments".to_owned(), format!("{header}.{claims}")),
            ("four segments".to_owned(), format!("{good}.{signature}")),
            (
                "five segments".to_owned(),
                format!("{header}.{claims}.{signature}.{claims}.{signature}"),
            ),
            ("empty segments".to_owned(), "..".to_owned()),
            ("no claims".to_owned(), format!("{header}..{signature}")),
            ("no header".to_owned(), format!(".{claims}.{signature}")),
            ("not a token".to_owned(), "nonsense".to_owned()),
            (
                "JSON serialisation".to_owned(),
                json!({ "protected": header, "payload": claims, "signature": signature }).to_string(),
            ),
            (
                "claims that are a token".to_owned(),
                raw(self.key, &self.header.to_string(), &nested),
            ),
            (
                "claims that are a list".to_owned(),
                raw(self.key, &self.header.to_string(), "[]"),
            ),
            (
                "claims that are null".to_owned(),
                raw(self.key, &self.header.to_string(), "null"),
            ),
            ("64 KiB".to_owned(), big),
            (
                "5 KiB".to_owned(),
                self.with_claim("pad", json!("x".repeat(5 * 1024))),
            ),
            (
                "padded base64".to_owned(),
                format!("{}.{}.{}", padded(header), padded(claims), padded(signature)),
            ),
            (
                "standard base64".to_owned(),
                format!(
                    "{header}.{claims}.{}",
                    STANDARD.encode(URL_SAFE_NO_PAD.decode(signature).unwrap())
                ),
            ),
            (
                "a blank inside".to_owned(),
                format!("{header} .{claims}.{signature}"),
            ),
            ("a dot at the end".to_owned(), format!("{good}.")),
        ];
        for claim in ["exp", "iss", "aud", "iat"] {
            let again = format!("{open},\"{claim}\":{}}}", self.claims[claim]);
            all.push((
                format!("{claim} twice"),
                raw(self.key, &self.header.to_string(), &again),
            ));
        }
        all
    }

    fn signatures(&self) -> Vec<(String, String)> {
        let good = self.good();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let signed = |bytes: &[u8]| format!("{message}.{}", encode(bytes));
        let mut all = Vec::new();
        for at in [0, 1, 15, 31, 32, 33, 48, 62, 63] {
            for bit in [0, 7] {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                all.push((
                    format!("bit {bit} of byte {at} of the signature flipped"),
                    signed(&flipped),
                ));
            }
        }
        // The last character holds four bits that mean nothing: another one decodes to the same bytes, or should not.
        let (start, last) = signature.split_at(signature.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let index = alphabet.find(last).unwrap();
        let other = &alphabet[(index ^ 1)..=(index ^ 1)];
        all.push((
            "a signature in non-canonical base64".to_owned(),
            format!("{message}.{start}{other}"),
        ));
        all.push(("a signature cut short".to_owned(), signed(&bytes[..63])));
        all.push((
            "a signature too long".to_owned(),
            signed(&[bytes.as_slice(), &[0]].concat()),
        ));
        all.push(("an empty signature".to_owned(), format!("{message}.")));
        all.push(("a signature of zeros".to_owned(), signed(&[0; 64])));
        let by_stranger = raw(self.stranger, &self.header.to_string(), &self.claims.to_string());
        all.push(("a stranger's signature".to_owned(), by_stranger));
        // s + L is the same number modulo the group's order: strict verification refuses it.
        all.push(("a malleable signature".to_owned(), signed(&plus_order(&bytes))));
        let edited = with(self.claims.clone(), "jti", json!("edited"));
        let header = good.split('.').next().unwrap();
        all.push((
            "claims edited after signing".to_owned(),
            format!("{header}.{}.{signature}", encode(edited.to_string())),
        ));
        let header = with(self.header.clone(), "typ", json!("JWT"));
        let claims = good.split('.').nth(1).unwrap();
        all.push((
            "a header edited after signing".to_owned(),
            format!("{}.{claims}.{signature}", encode(header.to_string())),
        ));
        let shuffled = format!("{} ", self.claims);
        let other = raw(self.key, &self.header.to_string(), &shuffled);
        let foreign = other.rsplit_once('.').unwrap().1.to_owned();
        all.push((
            "another token's signature".to_owned(),
            format!("{message}.{foreign}"),
        ));
        all
    }
}

/// The signature with the order of the curve added to its second half.
fn plus_order(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut out = signature.to_vec();
    let mut carry = 0_u16;
    for (byte, order) in out[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    out
}
