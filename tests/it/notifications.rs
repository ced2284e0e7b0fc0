//! What a buyer is told: on the graph, as it happens, and by a mail that the mail sandbox has caught.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::client::{Graph, Watch};
use crate::world::{World, eventually};

pub(crate) const CASES: &[Case] = &[
    ("a paid order is told in the shop and by mail", paid),
    (
        "a cancelled order says why, and an unwanted mail is not sent",
        cancelled,
    ),
    ("nobody reads what another was told", strangers),
];

/// Order's outbox, the broker, the inbox, auth and SMTP are in between.
const PATIENCE: Duration = Duration::from_secs(30);
const MINE: &str = "{ me { id email unreadNotificationCount
    notifications(first: 20) { nodes { id kind title body createdAt readAt order { id number } } } } }";

async fn mine(graph: &Graph) -> Result<Value> {
    let mut data = graph.data(MINE, json!({})).await?;
    Ok(data["me"].take())
}

/// Subjects of the mails to an address, oldest first.
async fn subjects(world: &World, email: &str) -> Result<Vec<(String, Value)>> {
    let url = format!("{}/api/mails?to={email}", world.stack.plan().mail_url());
    let http = service_kit::http::client(Duration::from_secs(5));
    let mails: Vec<Value> = http.get(url).send().await?.json().await?;
    let subject = |mail: Value| Some((mail["subject"].as_str()?.to_owned(), mail));
    Ok(mails.into_iter().filter_map(subject).collect())
}

/// The kinds of a buyer's notifications about an order, oldest first.
fn kinds(me: &Value, order: &str) -> Vec<String> {
    let nodes = me["notifications"]["nodes"].as_array().into_iter().flatten();
    let about = nodes.filter(|node| node["order"]["id"] == order);
    let mut kinds: Vec<String> = about
        .filter_map(|node| node["kind"].as_str().map(str::to_owned))
        .collect();
    kinds.reverse();
    kinds
}

fn paid(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let live = ada.on_websocket(&world.stack.plan().websocket_url("notification"));
        let mut told = Watch::told(&live).await?;
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        let mut heard = Vec::new();
        while heard.len() < 2 {
            let notification = told.next_progress().await?;
            ensure!(notification["order"]["id"] == order.as_str(), "{notification}");
            heard.push(notification["kind"].as_str().context("a kind")?.to_owned());
        }
        heard.sort();
        ensure!(heard == ["ORDER_PAID", "ORDER_RECEIVED"], "{heard:?}");
        let me = mine(&ada).await?;
        ensure!(me["unreadNotificationCount"] == 2, "{me}");
        let number = me["notifications"]["nodes"][0]["order"]["number"].as_str();
        ensure!(number.is_some_and(|number| number.starts_with("M-")), "{me}");
        let email = me["email"].as_str().context("an address")?;
        eventually(PATIENCE, "both mails", async || {
            Ok(subjects(world, email).await?.len() == 2)
        })
        .await?;
        let mut mails = subjects(world, email).await?;
        mails.sort_by(|one, other| one.0.cmp(&other.0));
        let said: Vec<&str> = mails.iter().map(|(subject, _)| subject.as_str()).collect();
        ensure!(said == ["We have your order", "Your order is paid"], "{said:?}");
        let text = mails[1].1["text"].as_str().unwrap_or_default();
        ensure!(text.contains("Hello Ada") && text.contains(&order), "{text}");
        let data = ada
            .data(
                "mutation { markNotificationsRead(input: {}) { markedCount user { unreadNotificationCount }
                    userErrors { code } } }",
                json!({}),
            )
            .await?;
        let payload = &data["markNotificationsRead"];
        ensure!(
            payload["markedCount"] == 2 && payload["user"]["unreadNotificationCount"] == 0,
            "{payload}"
        );
        Ok(())
    })
}

fn cancelled(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(5).await?);
        let set =
            "mutation ($input: SetNotificationPreferenceInput!) { setNotificationPreference(input: $input) {
            user { notificationPreferences { kind channel enabled } } userErrors { code } } }";
        let input = json!({ "kind": "ORDER_RECEIVED", "channel": "EMAIL", "enabled": false });
        let data = ada.data(set, json!({ "input": input })).await?;
        ensure!(
            data["setNotificationPreference"]["userErrors"] == json!([]),
            "{data}"
        );
        let order = ada.buy(&variant, 1, "pm_card_chargeDeclined").await?;
        ada.watch(&order, 0).await?;
        let wanted = ["ORDER_RECEIVED", "ORDER_CANCELLED"];
        eventually(PATIENCE, "two notifications", async || {
            Ok(kinds(&mine(&ada).await?, &order).len() == wanted.len())
        })
        .await?;
        let me = mine(&ada).await?;
        let mut told = kinds(&me, &order);
        told.sort_by_key(|kind| wanted.iter().position(|wanted| wanted == kind));
        ensure!(told == wanted, "{told:?}");
        ensure!(me.to_string().contains("Your bank declined the payment."), "{me}");
        let email = me["email"].as_str().context("an address")?;
        eventually(PATIENCE, "the mail", async || {
            Ok(!subjects(world, email).await?.is_empty())
        })
        .await?;
        let mails = subjects(world, email).await?;
        ensure!(
            mails.len() == 1 && mails[0].0 == "Your order was cancelled",
            "{mails:?}"
        );
        Ok(())
    })
}

fn strangers(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, bob) = (world.customer().await?, world.customer().await?);
        let variant = world.product(5).await?;
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&order, 0).await?;
        eventually(PATIENCE, "a notification", async || {
            Ok(!kinds(&mine(&ada).await?, &order).is_empty())
        })
        .await?;
        let me = mine(&ada).await?;
        let theirs = mine(&bob).await?;
        ensure!(theirs["notifications"]["nodes"] == json!([]), "{theirs}");
        let id = &me["notifications"]["nodes"][0]["id"];
        let mark = "mutation ($ids: [ID!]) { markNotificationsRead(input: { notificationIds: $ids }) {
            markedCount userErrors { code } } }";
        let data = bob.data(mark, json!({ "ids": [id] })).await?;
        let payload = &data["markNotificationsRead"];
        ensure!(payload["userErrors"][0]["code"] == "NOT_FOUND", "{payload}");
        let customer = "query ($id: ID!) { order(id: $id) { customer { notifications { nodes { id } } } } }";
        let data = world.admin().data(customer, json!({ "id": order })).await?;
        let nodes = data["order"]["customer"]["notifications"]["nodes"].as_array();
        ensure!(
            nodes.is_some_and(|nodes| !nodes.is_empty()),
            "staff see them: {data}"
        );
        Ok(())
    })
}
