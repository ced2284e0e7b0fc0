//! Signing in and out, and the id that follows a request.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::Case;
use crate::world::{World, eventually, fresh_key, steps};

pub(crate) const CASES: &[Case] = &[
    (
        "a wrong password is refused as an unknown user is",
        wrong_password,
    ),
    (
        "a refresh token works once, and its reuse ends the session",
        refresh,
    ),
    ("a known e-mail can't register again", email_taken),
    (
        "an order's correlation id is told, logged by all who took part, and kept",
        correlation_of_an_order,
    ),
    (
        "who sends no good correlation id is given one",
        correlation_is_made,
    ),
    ("a refusal tells its correlation id", refusals_are_correlated),
];

const LOGIN: &str = "mutation ($input: LoginInput!) { login(input: $input) { session { accessToken refreshToken } userErrors { code message } } }";
const REGISTER: &str = "mutation ($input: RegisterInput!) { register(input: $input) { session { accessToken refreshToken } userErrors { code message } } }";

fn person() -> Value {
    let email = format!("{}@example.com", Uuid::now_v7().simple());
    json!({ "input": { "email": email, "password": "correct horse battery", "displayName": "Ada" } })
}

fn wrong_password(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let graph = world.anyone();
        let person = person();
        graph.data(REGISTER, person.clone()).await?;
        let mut answers = Vec::new();
        for email in [person["input"]["email"].clone(), json!("nobody@example.com")] {
            let data = graph
                .data(
                    LOGIN,
                    json!({ "input": { "email": email, "password": "wrong horse battery" } }),
                )
                .await?;
            ensure!(data["login"]["session"].is_null(), "{data}");
            answers.push(data["login"]["userErrors"][0].clone());
        }
        ensure!(
            answers[0]["code"] == "INVALID_CREDENTIALS" && answers[0] == answers[1],
            "{answers:?}"
        );
        Ok(())
    })
}

fn refresh(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let graph = world.anyone();
        let query = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { session { accessToken refreshToken } userErrors { code } } }";
        let data = graph.data(REGISTER, person()).await?;
        let first = data["register"]["session"]["refreshToken"].as_str().context(data.to_string())?.to_owned();
        let data = graph.data(query, json!({ "input": { "refreshToken": first } })).await?;
        let second = data["refreshSession"]["session"]["refreshToken"].as_str().context(data.to_string())?.to_owned();
        ensure!(first != second);
        // A lost reply must not sign anyone out: the same successor for a moment.
        let data = graph.data(query, json!({ "input": { "refreshToken": first } })).await?;
        ensure!(data["refreshSession"]["session"]["refreshToken"] == second.as_str(), "{data}");
        let data = graph.data(query, json!({ "input": { "refreshToken": second } })).await?;
        let third = data["refreshSession"]["session"]["refreshToken"].as_str().context(data.to_string())?.to_owned();
        // The first is two generations old: somebody stole it.
        let data = graph.data(query, json!({ "input": { "refreshToken": first } })).await?;
        ensure!(data["refreshSession"]["session"].is_null(), "{data}");
        let data = graph.data(query, json!({ "input": { "refreshToken": third } })).await?;
        ensure!(data["refreshSession"]["session"].is_null(), "the family lives on: {data}");
        Ok(())
    })
}

fn email_taken(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let person = person();
        world.anyone().data(REGISTER, person.clone()).await?;
        let data = world.anyone().data(REGISTER, person).await?;
        ensure!(
            data["register"]["userErrors"][0]["code"] == "EMAIL_TAKEN",
            "{data}"
        );
        Ok(())
    })
}

/// What nobody sends twice.
fn fresh_id() -> String {
    format!("e2e-{}", Uuid::now_v7().simple())
}

fn correlation_of_an_order(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(3).await?);
        let cart = ada.cart(&variant, 1).await?;
        let id = fresh_id();
        let ada = ada.correlated(&id);
        let (told, me) = ada.ask_told("{ me { id } }", json!({})).await?;
        ensure!(told == id && me["data"]["me"]["id"].is_string(), "{told}: {me}");
        let payload = ada.create_order(&cart, "pm_card_visa", &fresh_key()).await?;
        let order = payload["order"]["id"].as_str().context(payload.to_string())?;
        let seen = ada.watch(order, 0).await?;
        ensure!(steps(&seen).last() == Some(&"PAID"), "{seen:?}");
        let took_part: [&[&str]; 6] = [
            &["auth"],
            &["cart"],
            &["product"],
            &["order", "order-2"],
            &["inventory"],
            &["payment"],
        ];
        for replicas in took_part {
            let what = format!("{replicas:?} logs {id}");
            eventually(Duration::from_secs(5), &what, || async {
                logged(world, replicas, &id)
            })
            .await?;
        }
        kept(world, order, &id, seen.len()).await
    })
}

/// Whether one of the processes wrote a line under this id.
fn logged(world: &World, processes: &[&str], id: &str) -> Result<bool> {
    for process in processes {
        let text = std::fs::read_to_string(world.stack.plan().log(process))?;
        // The last line may be half written.
        let mut lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if lines.any(|line| line["correlation_id"] == id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Every event of the order, its saga and its payment bear the id.
async fn kept(world: &World, order: &str, id: &str, steps: usize) -> Result<()> {
    let plan = world.stack.plan();
    let events = "SELECT payload->>'correlationid' FROM outbox WHERE payload->>'subject' = $1";
    for (service, rows, fewest) in [
        (
            "order",
            "SELECT count(*) FROM saga WHERE correlation_id = $1",
            steps,
        ),
        (
            "payment",
            "SELECT count(*) FROM payment WHERE correlation_id = $1",
            1,
        ),
    ] {
        let mut database = PgConnection::connect(&plan.database_url(service)).await?;
        let kept: i64 = sqlx::query_scalar(rows).bind(id).fetch_one(&mut database).await?;
        ensure!(kept == 1, "{service} keeps {id} in {kept} rows");
        let published: Vec<Option<String>> = sqlx::query_scalar(events)
            .bind(order)
            .fetch_all(&mut database)
            .await?;
        ensure!(
            published.len() >= fewest && published.iter().all(|told| told.as_deref() == Some(id)),
            "{service} publishes {published:?} under {id}"
        );
        database.close().await?;
    }
    Ok(())
}

fn correlation_is_made(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let graph = world.customer().await?;
        let mut made = Vec::new();
        for sent in [None, None, Some("two words"), Some("x\"}"), Some(&"x".repeat(65))] {
            let graph = sent.map_or_else(|| graph.clone(), |sent| graph.correlated(sent));
            let (told, answer) = graph.ask_told("{ me { id } }", json!({})).await?;
            ensure!(answer["data"]["me"]["id"].is_string(), "{answer}");
            ensure!(Uuid::parse_str(&told).is_ok(), "{sent:?} is answered with {told}");
            let what = format!("auth logs {told}");
            eventually(Duration::from_secs(5), &what, || async {
                logged(world, &["auth"], &told)
            })
            .await?;
            made.push(told);
        }
        made.sort();
        made.dedup();
        ensure!(made.len() == 5, "an id was given twice: {made:?}");
        Ok(())
    })
}

fn refusals_are_correlated(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let customer = world.customer().await?;
        let at_the_staffs = world.staff_as(&customer);
        let refused = [
            (&at_the_staffs, "{ users { nodes { id } } }", "FORBIDDEN"),
            (
                world.anyone(),
                "{ order(id: \"nonsense\") { id } }",
                "UNAUTHENTICATED",
            ),
            (
                world.anyone(),
                "{ products(first: 101) { nodes { id } } }",
                "BAD_USER_INPUT",
            ),
        ];
        for (graph, query, code) in refused {
            let id = fresh_id();
            let (told, answer) = graph.correlated(&id).ask_told(query, json!({})).await?;
            let error = &answer["errors"][0]["extensions"];
            ensure!(
                told == id && error["correlationId"] == id.as_str(),
                "{told} for {id}: {answer}"
            );
            ensure!(error["code"] == code, "{answer}");
        }
        // The router refuses these itself.
        for query in ["{ nothingOfTheSort }", "{"] {
            let id = fresh_id();
            let (told, answer) = customer.correlated(&id).ask_told(query, json!({})).await?;
            ensure!(
                told == id && answer["errors"][0].is_object(),
                "{told} for {id}: {answer}"
            );
        }
        Ok(())
    })
}
