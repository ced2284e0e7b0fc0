//! Whatever reads input from outside: each takes bytes and answers what became of them, as a number that is another one
//! for another outcome. Beside not panicking, some must keep a promise.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use contracts::inventory::ReservationExpired;
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::{PaymentFailed, PaymentSucceeded, RefundCompleted};
use contracts::{EventData, OrderId, UserId, VariantId};
use event_bus::Message;
use graphql_kit::page;
use payment::clients::stripe;
use product::domain::Position;
use serde_json::{Value, json};
use service_auth::UserVerifier;
use service_kit::Clock;
use shopper::import::{ProductLine, SeedFile};

/// A reader.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, also that of its folder of seeds.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]) -> u64,
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "events",
        run: events,
    },
    Target {
        name: "webhooks",
        run: webhooks,
    },
    Target {
        name: "webhook-signatures",
        run: signatures,
    },
    Target {
        name: "cursors",
        run: cursors,
    },
    Target {
        name: "websocket",
        run: websocket,
    },
    Target {
        name: "requests",
        run: requests,
    },
    Target {
        name: "import-lines",
        run: import_lines,
    },
    Target {
        name: "tokens",
        run: tokens,
    },
];

fn number(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Numbers and quoted parts out of a message: another position is no other outcome.
fn gist(text: &str) -> u64 {
    let mut quoted = false;
    let kept: String = text
        .chars()
        .filter(|c| {
            quoted ^= matches!(c, '`' | '"');
            !quoted && (c.is_ascii_alphabetic() || *c == ' ')
        })
        .take(60)
        .collect();
    number(kept)
}

/// A delivery off the broker, read as every event there is.
fn events(input: &[u8]) -> u64 {
    let message = match Message::decode(input) {
        Ok(message) => message,
        Err(error) => return gist(&error.to_string()),
    };
    assert!(!message.kind.contains('\0'), "PostgreSQL can't store it");
    let read = [
        is_event::<OrderCreated>(&message),
        is_event::<OrderStatusChanged>(&message),
        is_event::<PaymentSucceeded>(&message),
        is_event::<PaymentFailed>(&message),
        is_event::<RefundCompleted>(&message),
        is_event::<ReservationExpired>(&message),
    ];
    let known = read.iter().filter(|read| **read).count();
    assert!(known <= 1, "an event of two types");
    number((
        read,
        message.traceparent.is_some(),
        message.correlation_id.is_some(),
    ))
}

fn is_event<T: EventData>(message: &Message) -> bool {
    message.event::<T>().is_ok()
}

/// A webhook's body after its signature was found good.
fn webhooks(input: &[u8]) -> u64 {
    match stripe::read_webhook(input) {
        Ok(webhook) => number(std::mem::discriminant(&webhook.about)),
        Err(error) => gist(&error.to_string()),
    }
}

/// The signature's header, then the body: nothing made here is signed, so nothing may be accepted.
fn signatures(input: &[u8]) -> u64 {
    let cut = input
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(input.len());
    let header = String::from_utf8_lossy(&input[..cut]);
    let now = DateTime::<Utc>::from_timestamp(1_767_323_045, 0).unwrap_or_default();
    match stripe::verify("whsec_one,whsec_two", &header, &input[cut..], now) {
        Ok(()) => panic!("a forged signature was accepted"),
        Err(error) => number(error.to_string()),
    }
}

/// A cursor as it comes, and one whose checksum is right for whatever is in it.
fn cursors(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input).into_owned();
    let value: Value = serde_json::from_slice(input).unwrap_or_else(|_| json!(text));
    let signed = page::cursor("list", &value);
    let outcomes = [text, signed].map(|cursor| {
        let list = |kind| page::parse::<Position>(kind, 10, Some(cursor.clone()));
        let orders = page::parse::<OrderId>("list", 10, Some(cursor.clone())).is_ok();
        let pair = page::parse::<(i64, UserId)>("list", 10, Some(cursor.clone())).is_ok();
        let variants = page::parse::<VariantId>("list", 10, Some(cursor.clone())).is_ok();
        if let Ok(args) = list("list") {
            assert!(
                list("another list").is_err(),
                "a cursor of another list was accepted"
            );
            let again = args.after.map(|position| page::cursor("list", &position));
            assert!(again.is_none_or(|again| page::parse::<Position>("list", 1, Some(again)).is_ok()));
        }
        (list("list").is_ok(), orders, pair, variants)
    });
    number((outcomes, value.is_object(), value.is_array()))
}

/// A message of the WebSocket, and the document in it.
fn websocket(input: &[u8]) -> u64 {
    gist(&graphql_kit::fuzzing::socket_message(&String::from_utf8_lossy(
        input,
    )))
}

/// A body of `POST /graphql`, and the document in it.
fn requests(input: &[u8]) -> u64 {
    let told = graphql_kit::fuzzing::request(input);
    gist(&told)
}

/// A line of a catalogue to import, or a whole seed file.
fn import_lines(input: &[u8]) -> u64 {
    let line = serde_json::from_slice::<ProductLine>(input)
        .map_err(|error| error.to_string())
        .and_then(|line| line.entry(7));
    let seeds = serde_json::from_slice::<SeedFile>(input)
        .map(|file| file.lines().take(100).filter(|line| line.value.is_ok()).count());
    let line = match line {
        Ok(entry) => {
            assert_eq!(entry.stock.len(), 1, "one variant each");
            1
        }
        Err(error) => gist(&error),
    };
    number((line, seeds.ok()))
}

/// An access token: without the key nobody makes one, so none may be accepted.
fn tokens(input: &[u8]) -> u64 {
    static VERIFIER: LazyLock<Option<UserVerifier>> = LazyLock::new(|| {
        let jwks = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "1000000002",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }] });
        UserVerifier::try_fixed(&jwks, "mercato", "mercato", Clock::system()).ok()
    });
    let Some(verifier) = VERIFIER.as_ref() else {
        panic!("the fixed key is not read");
    };
    let token = String::from_utf8_lossy(input);
    match futures::executor::block_on(verifier.verify(&token)) {
        Ok(_) => panic!("a forged token was accepted"),
        Err(error) => number(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    #[test]
    fn no_seed_and_nothing_near_it_makes_a_reader_panic() {
        for target in TARGETS {
            let mut engine = Engine::of_seeds(target, 1).unwrap();
            let report = engine.run(4_000).unwrap();
            assert!(report.panics.is_empty(), "{}: {:?}", target.name, report.panics);
        }
    }

    #[test]
    fn seeds_are_not_all_refused() {
        let read = |file: &str| {
            std::fs::read(
                std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("corpus")
                    .join(file),
            )
            .unwrap()
        };
        assert!(
            Message::decode(&read("events/succeeded"))
                .unwrap()
                .event::<PaymentSucceeded>()
                .is_ok()
        );
        assert!(stripe::read_webhook(&read("webhooks/succeeded")).is_ok());
        let line: ProductLine = serde_json::from_slice(&read("import-lines/line")).unwrap();
        assert!(line.entry(1).is_ok());
        assert!(graphql_kit::fuzzing::request(&read("requests/query")).is_empty());
    }

    #[test]
    fn a_panic_is_found_and_kept() {
        fn touchy(input: &[u8]) -> u64 {
            assert!(!input.contains(&b'!'), "as told");
            number(input.len())
        }
        let target = Target {
            name: "tokens",
            run: touchy,
        };
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Engine::of_seeds(target, 1).unwrap();
        engine.panics_in = folder.path().to_owned();
        let report = engine.run(20_000).unwrap();
        assert_eq!(report.panics.len(), 1);
        assert!(std::fs::read(&report.panics[0].file).unwrap().contains(&b'!'));
    }
}
