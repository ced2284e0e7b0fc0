//! Signing in and out.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Case;
use crate::world::World;

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
    ("everybody is told their correlation id", correlation),
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

fn correlation(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let http = service_kit::http::client(std::time::Duration::from_secs(5));
        let id = format!("e2e-{}", Uuid::now_v7().simple());
        let body = json!({ "query": "{ me { id } categories { id } }" });
        let answer = http
            .post(world.anyone().url())
            .header("x-correlation-id", &id)
            .json(&body)
            .send()
            .await?;
        ensure!(answer.status().is_success());
        Ok(())
    })
}
