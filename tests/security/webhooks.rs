//! The payment provider's webhooks: only what it signed, lately, and once.

use anyhow::Result;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::forge::now;
use crate::ledger::Group;
use crate::people::fresh_key;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[("webhooks: forged, old, changed and repeated", webhooks)];

const REFUSED: &[&str] = &["400"];

fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Says that the provider captured this payment.
fn event(id: &str, order: &str, amount: i64, currency: &str) -> Value {
    json!({
        "id": id, "object": "event", "type": "payment_intent.succeeded", "created": now(),
        "data": { "object": {
            "id": format!("pi_{}", fresh_key().replace('-', "")), "object": "payment_intent", "status": "succeeded",
            "amount": amount, "amount_received": amount, "currency": currency, "metadata": { "order_id": order },
        } },
    })
}

impl World {
    async fn webhook(&self, header: Option<&str>, body: &str) -> Result<Answer> {
        let port = self.stack.plan().ports_of("payment")?.public;
        let mut request = self
            .http
            .post(format!("http://127.0.0.1:{port}/webhooks/stripe"))
            .header("content-type", "application/json")
            .body(body.to_owned());
        if let Some(header) = header {
            request = request.header("stripe-signature", header);
        }
        Answer::read(request.send().await?).await
    }
}

fn webhooks(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "webhooks").await?;
        let secret = world.stack.plan().psp_webhook_secret;
        let order = world.people.order.as_str();
        let body = event(&format!("evt_{}", fresh_key()), order, 1_250, "usd").to_string();
        let at = now();
        let good = signature(&secret, at, &body);
        let sign = |at: i64| format!("t={at},v1={}", signature(&secret, at, &body));
        let flipped = match good.strip_prefix('0') {
            Some(rest) => format!("1{rest}"),
            None => format!("0{}", &good[1..]),
        };
        let tries: Vec<(&str, Option<String>)> = vec![
            ("no signature", None),
            ("an empty signature", Some(String::new())),
            ("no time", Some(format!("v1={good}"))),
            ("no v1", Some(format!("t={at}"))),
            ("v0 instead of v1", Some(format!("t={at},v0={good}"))),
            ("nonsense", Some("nonsense".to_owned())),
            (
                "a wrong secret",
                Some(format!("t={at},v1={}", signature("whsec_wrong", at, &body))),
            ),
            (
                "an empty secret",
                Some(format!("t={at},v1={}", signature("", at, &body))),
            ),
            ("one digit changed", Some(format!("t={at},v1={flipped}"))),
            ("cut short", Some(format!("t={at},v1={}", &good[..62]))),
            ("too long", Some(format!("t={at},v1={good}00"))),
            ("no hex", Some(format!("t={at},v1={}", "z".repeat(64)))),
            (
                "another time than signed",
                Some(format!("t={},v1={good}", at - 1)),
            ),
            ("six minutes old", Some(sign(at - 360))),
            ("a day old", Some(sign(at - 86_400))),
            ("of the next hour", Some(sign(at + 3_600))),
            ("a time that is a text", Some(format!("t=now,v1={good}"))),
            ("a negative time", Some(sign(-1))),
            ("the time 2^63", Some(format!("t=9223372036854775808,v1={good}"))),
            ("the secret itself", Some(format!("t={at},v1={secret}"))),
        ];
        for (name, header) in tries {
            let answer = world.webhook(header.as_deref(), &body).await?;
            group.refused(name, &answer, REFUSED);
        }
        let header = format!("t={at},v1={good}");
        for (name, other) in [
            ("one byte changed", body.replace("succeeded", "succeedee")),
            ("a byte more", format!("{body} ")),
            ("another amount", body.replace("1250", "1251")),
            ("another body", "{}".to_owned()),
        ] {
            let answer = world.webhook(Some(&header), &other).await?;
            group.refused(name, &answer, REFUSED);
        }
        for (name, raw) in [("no JSON", "{"), ("a list", "[]"), ("null", "null")] {
            let signed = format!("t={at},v1={}", signature(&secret, at, raw));
            let answer = world.webhook(Some(&signed), raw).await?;
            group.refused(format!("signed: {name}"), &answer, REFUSED);
        }
        group.end().await?;
        signed_but_wrong(world, &secret).await
    })
}

/// Signed rightly, and still not about money of ours: noted, answered, and without any effect on the payment.
async fn signed_but_wrong(world: &World, secret: &str) -> Result<()> {
    let group = Group::of_changes(world, "webhooks: signed but wrong");
    let order = world.people.order.as_str();
    let payment = || async {
        let query = "query ($id: ID!) { order(id: $id) { status payment { status amount { amount } refunded { amount } } } }";
        let answer = world
            .ask(
                crate::doors::Door::Router,
                Some(&world.people.ada.token),
                query,
                json!({ "id": order }),
            )
            .await?;
        anyhow::Ok(answer.data()?)
    };
    let before = payment().await?;
    for (name, event) in [
        ("another amount", event("evt_amount", order, 1, "usd")),
        ("another currency", event("evt_currency", order, 1_250, "eur")),
        (
            "an order that is not there",
            event("evt_stranger", "ord_01h455vb4pex5vsknk084sn02q", 1_250, "usd"),
        ),
        (
            "an order id that is none",
            event("evt_nonsense", "nonsense", 1_250, "usd"),
        ),
        ("the same again", event("evt_amount", order, 1, "usd")),
    ] {
        let (at, body) = (now(), event.to_string());
        let header = format!("t={at},v1={}", signature(secret, at, &body));
        let answer = world.webhook(Some(&header), &body).await?;
        let after = payment().await?;
        let same = after == before;
        group.judged(
            name,
            same,
            format!(
                "{}, the payment {}",
                answer.outcome,
                if same { "as before" } else { "changed" }
            ),
        );
    }
    group.end().await
}
