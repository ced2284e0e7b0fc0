//! Webhooks: signed as Stripe signs them, delivered at least once, retried until accepted.
//!
//! Owns the signature and the delivery loop. Must not know what an event means.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use service_kit::Secret;
use sha2::Sha256;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::sandbox::Sandbox;
use crate::state::{Delivery, Record};

/// Most deliveries in the air at a time.
const WINDOW: usize = 32;
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(30);
const NAP: Duration = Duration::from_secs(1);

/// Where webhooks go, and how they are signed.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The merchant's address.
    pub url: Url,
    /// The shared secret, `whsec_...`.
    pub secret: Secret,
}

/// The value of `Stripe-Signature` for a body sent at `at`.
pub fn signature(secret: &str, at: DateTime<Utc>, body: &[u8]) -> String {
    let seconds = at.timestamp();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Delivers and settles until `shutdown`.
pub async fn run(sandbox: Sandbox, endpoint: Option<Endpoint>, shutdown: CancellationToken) {
    let postman = Postman {
        http: service_kit::http::client(Duration::from_secs(10)),
        endpoint,
    };
    let mut flights = JoinSet::new();
    loop {
        if let Err(error) = sandbox.settle_due().await {
            tracing::error!(%error, "payments that are due could not be settled");
        }
        if postman.endpoint.is_some() {
            for delivery in take_due(&sandbox, WINDOW - flights.len()).await {
                let (sandbox, postman) = (sandbox.clone(), postman.clone());
                flights.spawn(async move { postman.deliver(&sandbox, delivery).await });
            }
        }
        let nap = next_due(&sandbox, flights.len() < WINDOW).min(NAP);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sandbox.changed.notified() => {}
            Some(_) = flights.join_next() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}

#[derive(Clone)]
struct Postman {
    http: reqwest::Client,
    endpoint: Option<Endpoint>,
}

impl Postman {
    async fn deliver(&self, sandbox: &Sandbox, delivery: Delivery) {
        let key = (delivery.event.id.clone(), delivery.copy);
        if self.send(sandbox, &delivery).await {
            let record = Record::Delivered {
                event: key.0,
                copy: key.1,
            };
            if let Err(error) = sandbox.record(vec![record]).await {
                tracing::error!(%error, "an accepted webhook could not be recorded");
            }
            return;
        }
        let now = sandbox.clock().now();
        sandbox.touch(|state| {
            let retry_ms = state.settings.webhooks.retry_ms;
            if let Some(delivery) = state.deliveries.get_mut(&key) {
                delivery.attempts += 1;
                delivery.in_flight = false;
                delivery.at = now + pause(retry_ms, delivery.attempts);
            }
        });
    }

    /// Whether the merchant accepted.
    async fn send(&self, sandbox: &Sandbox, delivery: &Delivery) -> bool {
        let Some(endpoint) = &self.endpoint else {
            return false;
        };
        let body = delivery.event.to_json().to_string();
        let signature = signature(endpoint.secret.expose(), sandbox.clock().now(), body.as_bytes());
        let sent = self
            .http
            .post(endpoint.url.clone())
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "Stripe/1.0 (psp-sandbox)")
            .header("stripe-signature", signature)
            .body(body)
            .send()
            .await;
        match sent {
            Ok(response) if response.status().is_success() => true,
            Ok(response) => {
                tracing::warn!(event = delivery.event.id, status = %response.status(), "webhook refused");
                false
            }
            Err(error) => {
                tracing::debug!(event = delivery.event.id, %error, "webhook not delivered");
                false
            }
        }
    }
}

fn pause(retry_ms: u64, attempts: u32) -> TimeDelta {
    let doubled = retry_ms.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let pause = TimeDelta::milliseconds(i64::try_from(doubled).unwrap_or(i64::MAX / 2));
    pause.min(LONGEST_PAUSE)
}

/// Takes deliveries that are due, whose events are on disk.
async fn take_due(sandbox: &Sandbox, most: usize) -> Vec<Delivery> {
    let now = sandbox.clock().now();
    let due = sandbox.touch(|state| {
        if state.settings.webhooks.hold {
            return Vec::new();
        }
        let due = state
            .deliveries
            .values_mut()
            .filter(|d| !d.in_flight && d.at <= now)
            .take(most);
        due.map(|delivery| {
            delivery.in_flight = true;
            delivery.clone()
        })
        .collect()
    });
    match sandbox.read(|_| ()).await {
        Ok(()) => due,
        Err(_) => Vec::new(),
    }
}

/// How long until something is due.
fn next_due(sandbox: &Sandbox, room: bool) -> Duration {
    let now = sandbox.clock().now();
    sandbox.touch(|state| {
        let settles = state.due.first().map(|(at, _)| *at);
        let sends = state
            .deliveries
            .values()
            .filter(|d| !d.in_flight)
            .map(|d| d.at)
            .min();
        let sends = sends.filter(|_| room && !state.settings.webhooks.hold);
        match settles.into_iter().chain(sends).min() {
            Some(at) => (at - now).to_std().unwrap_or(Duration::from_millis(1)),
            None => Duration::MAX,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_provider_documents() {
        // Checked with `openssl dgst -sha256 -hmac whsec_test` over `1700000000.{}`.
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let signed = signature("whsec_test", at, b"{}");
        assert_eq!(
            signed,
            "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
        );
    }

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        assert_eq!(pause(200, 1), TimeDelta::milliseconds(200));
        assert_eq!(pause(200, 3), TimeDelta::milliseconds(800));
        assert_eq!(pause(200, 40), LONGEST_PAUSE);
    }
}
