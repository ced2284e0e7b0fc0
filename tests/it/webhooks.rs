//! Another system is told of an order: each event signed, whoever makes it. The receiver is of this very process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::Case;
use crate::world::{World, eventually, fresh_key};

pub(crate) const CASES: &[Case] = &[(
    "an order's life is sent to an endpoint, signed and each event once",
    told,
)];

const PATIENCE: Duration = Duration::from_secs(30);
const CREATE: &str = "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
    endpoint { id } secret userErrors { code message } } }";
const DELETE: &str = "mutation ($input: DeleteWebhookEndpointInput!) { deleteWebhookEndpoint(input: $input) {
    deletedId userErrors { code } } }";

/// What came: the headers and the bytes they sign.
type Inbox = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

fn letters(inbox: &Inbox) -> Vec<(HeaderMap, Bytes)> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Takes whatever comes.
async fn receiver() -> Result<(String, Inbox)> {
    let inbox = Inbox::default();
    let mail = Arc::clone(&inbox);
    let take = async move |headers: HeaderMap, body: Bytes| {
        let mut mail = mail.lock().unwrap_or_else(PoisonError::into_inner);
        mail.push((headers, body));
        StatusCode::NO_CONTENT
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orders", listener.local_addr()?);
    let router = Router::new().route("/orders", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((url, inbox))
}

/// As <https://www.standardwebhooks.com> has it.
fn is_signed(headers: &HeaderMap, body: &[u8], secret: &str) -> Result<bool> {
    let header = |name: &str| headers.get(name).context("a header")?.to_str().context("text");
    let key = STANDARD.decode(secret.strip_prefix("whsec_").context("a secret")?)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    mac.update(format!("{}.{}.", header("webhook-id")?, header("webhook-timestamp")?).as_bytes());
    mac.update(body);
    let signature = header("webhook-signature")?
        .strip_prefix("v1,")
        .context("a version")?;
    Ok(mac.verify_slice(&STANDARD.decode(signature)?).is_ok())
}

fn told(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (url, inbox) = receiver().await?;
        let types = ["ORDER_CREATED", "ORDER_STATUS_CHANGED", "REFUND_COMPLETED"];
        let input = json!({ "idempotencyKey": fresh_key(), "url": url, "eventTypes": types });
        let data = world.admin().data(CREATE, json!({ "input": input })).await?;
        let made = &data["createWebhookEndpoint"];
        ensure!(made["userErrors"] == json!([]), "{made}");
        let secret = made["secret"].as_str().context("a secret")?;
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        let steps = ada.watch(&order, 0).await?.len();
        // Other tests' orders are told of, too.
        let about = |body: &[u8], kind: &str| -> Option<Value> {
            let letter: Value = serde_json::from_slice(body).ok()?;
            let data = &letter["data"];
            let is_its = data["order_id"] == order.as_str() && letter["type"] == kind;
            is_its.then(|| data.clone())
        };
        let its = |kind: &str| -> Vec<Value> {
            let all = letters(&inbox);
            all.iter().filter_map(|(_, body)| about(body, kind)).collect()
        };
        eventually(PATIENCE, "every step was sent", async || {
            Ok(its("order.status_changed.v1").len() >= steps && !its("order.created.v1").is_empty())
        })
        .await?;
        let mut sequences: Vec<i64> = its("order.status_changed.v1")
            .iter()
            .filter_map(|data| data["sequence"].as_i64())
            .collect();
        sequences.sort_unstable();
        ensure!(
            sequences == (1..=i64::try_from(steps)?).collect::<Vec<_>>(),
            "{sequences:?}"
        );
        ensure!(
            its("order.created.v1").len() == 1,
            "told twice that it was placed"
        );
        for (headers, body) in letters(&inbox) {
            ensure!(
                is_signed(&headers, &body, secret)?,
                "not signed: {headers:?} {body:?}"
            );
        }
        let input = json!({ "id": made["endpoint"]["id"] });
        let data = world.admin().data(DELETE, json!({ "input": input })).await?;
        ensure!(data["deleteWebhookEndpoint"]["userErrors"] == json!([]), "{data}");
        Ok(())
    })
}
