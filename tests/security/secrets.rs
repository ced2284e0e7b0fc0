//! Secrets stay where they are: never in a log, an event, an error; and they come from files as well.

use anyhow::Result;
use roster::SERVICES;
use serde_json::{Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::people::{LOGIN, PASSWORD, REGISTER, fresh_key};
use crate::world::{FORMER_GATEWAY_KEY, GATEWAY_KEY, World};

pub(crate) const CASES: &[Case] = &[
    ("secrets: from files", files),
    // The last of all: it reads what everything before it left in the logs.
    ("secrets: canaries in logs, events and answers", canaries),
];

/// A word that a canary is made of, so that it can't be anywhere by chance.
const CANARY: &str = "canary-7f3a91c4";

fn files(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "secrets: files").await?;
        let file = world.folder().join("gateway-key");
        std::fs::write(&file, "a-key-from-a-file-0123456789\n")?;
        let path = file.display().to_string();
        let twin = world
            .twin("cart", &[("GATEWAY_KEY", ""), ("GATEWAY_KEY_FILE", &path)])
            .await?;
        let ask = |key: &'static str| {
            let url = format!("http://127.0.0.1:{}/graphql", twin.graphql);
            let request = world
                .http
                .post(url)
                .header("x-gateway-key", key)
                .json(&json!({ "query": "{ __typename }" }));
            async move { Answer::read(request.send().await?).await }
        };
        group.works(
            "the key of the file opens",
            &ask("a-key-from-a-file-0123456789").await?,
        );
        for key in [GATEWAY_KEY, FORMER_GATEWAY_KEY] {
            group.refused("a key that is in no file", &ask(key).await?, &["401 FORBIDDEN"]);
        }
        for service in SERVICES {
            for (name, key) in [
                ("none", None),
                ("an empty one", Some("")),
                ("a short one", Some("short")),
                (
                    "three",
                    Some("0123456789abcdef,0123456789abcdeg,0123456789abcdeh"),
                ),
            ] {
                let mut command = world.twin_command(service)?;
                command.env_remove("GATEWAY_KEY");
                if let Some(key) = key {
                    command.env("GATEWAY_KEY", key);
                }
                let output = command.output()?;
                group.judged(
                    format!("{service} with a gateway key that is {name}"),
                    output.status.code() == Some(78),
                    output.status.to_string(),
                );
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                group.judged(
                    format!("{service} does not print the key that is {name}"),
                    !said.contains("0123456789abcde"),
                    "not in the log",
                );
            }
        }
        group.end().await
    })
}

/// Plants secrets wherever somebody could, then looks for them everywhere.
fn canaries(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "secrets: canaries");
        let mut answers = Vec::new();
        let password = format!("{CANARY}-password");
        let email = format!("{}@example.com", fresh_key());
        let inputs = [
            (REGISTER, json!({ "input": { "email": email, "password": password, "displayName": "Nary" } })),
            (LOGIN, json!({ "input": { "email": email, "password": format!("{CANARY}-guess") } })),
            (LOGIN, json!({ "input": { "email": format!("nobody-{email}"), "password": password } })),
            (LOGIN, json!({ "input": { "email": email, "password": [format!("{CANARY}-list")] } })),
            ("mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { userErrors { code message } } }", json!({ "input": { "refreshToken": format!("{CANARY}-refresh-token-that-is-43-characters!!") } })),
        ];
        for (query, variables) in inputs {
            for door in [Door::Router, Door::Service("auth")] {
                answers.push(world.ask(door, None, query, variables.clone()).await?);
            }
        }
        for door in Door::all() {
            answers.push(world.show(door, &[format!("Bearer {CANARY}-token")]).await?);
        }
        for route in world.routes() {
            answers.push(world.call(&route, &route.path, &[("authorization", format!("Bearer {CANARY}-service"))]).await?);
        }
        let literal = format!("mutation {{ login(input: {{email: \"{email}\", password: \"{CANARY}-literal\"}}) {{ userErrors {{ message }} }} nonsense }}");
        answers.push(world.ask(Door::Service("auth"), None, &literal, json!({})).await?);
        let told = answers.iter().filter(|answer| answer.body.contains(CANARY)).count();
        group.judged("in no answer", told == 0, format!("{told} of {} answers", answers.len()));

        let plan = world.stack.plan();
        let people = &world.people;
        let mut secrets: Vec<(&str, String)> = vec![
            ("a planted canary", CANARY.to_owned()),
            ("a password", PASSWORD.to_owned()),
            ("the gateway key", GATEWAY_KEY.to_owned()),
            ("the former gateway key", FORMER_GATEWAY_KEY.to_owned()),
            ("the provider's key", plan.psp_api_key.clone()),
            ("the webhooks' secret", plan.psp_webhook_secret.clone()),
            ("the administrator's password", dev_stack::stack::ADMIN_PASSWORD.to_owned()),
            ("an access token", people.ada.token.clone()),
            ("its signature", people.ada.token.rsplit('.').next().unwrap_or_default().to_owned()),
            ("a refresh token", people.ada.refresh.clone()),
            ("a password's hash", "$argon2id$".to_owned()),
            ("a private key", "PRIVATE KEY".to_owned()),
        ];
        for service in roster::WITH_DATABASE {
            let url = plan.database_url(service);
            if let Some(password) = url.split(':').nth(2).and_then(|rest| rest.split('@').next()) {
                secrets.push(("a database's password", format!(":{password}@")));
            }
        }
        for entry in std::fs::read_dir(world.folder().join("logs"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let log = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            for (what, secret) in &secrets {
                group.judged(format!("{name}: {what}"), !log.contains(secret.as_str()), "not in the log");
            }
        }
        for service in roster::WITH_DATABASE {
            let tables: Vec<String> = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('outbox', 'inbox', 'idempotency_key')")
                .fetch_all(world.database(service)?)
                .await?;
            for table in tables {
                for (what, secret) in secrets.iter().filter(|(what, _)| *what != "a password's hash") {
                    let query = format!("SELECT count(*) FROM \"{table}\" t WHERE strpos(t::text, $1) > 0");
                    let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(secret).fetch_one(world.database(service)?).await?;
                    group.judged(format!("{service}.{table}: {what}"), found == 0, format!("{found} rows"));
                }
            }
        }
        refusals_are_logged(world, &group)?;
        group.end().await
    })
}

/// The logs say who was refused what and why: from each door at least one line, and each line whole.
fn refusals_are_logged(world: &World, group: &Group<'_>) -> Result<()> {
    for (service, doors) in [
        (
            "auth",
            &[
                "gateway key",
                "user token",
                "role",
                "ownership",
                "login",
                "document",
            ][..],
        ),
        (
            "product",
            &["gateway key", "user token", "role", "service token", "document"],
        ),
        (
            "inventory",
            &["gateway key", "user token", "role", "service token", "document"],
        ),
        (
            "cart",
            &[
                "gateway key",
                "user token",
                "ownership",
                "service token",
                "document",
            ],
        ),
        (
            "order",
            &[
                "gateway key",
                "user token",
                "role",
                "ownership",
                "websocket",
                "document",
            ],
        ),
        (
            "payment",
            &[
                "gateway key",
                "user token",
                "ownership",
                "service token",
                "webhook",
                "document",
            ],
        ),
    ] {
        let log = std::fs::read_to_string(world.stack.plan().log(service))?;
        let lines: Vec<Value> = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| line["target"] == "refusal")
            .collect();
        for door in doors {
            let of_door = lines.iter().filter(|line| line["door"] == *door).count();
            group.control(
                format!("{service} logs refusals: {door}"),
                of_door > 0,
                format!("{of_door} lines"),
            );
        }
        let whole = |line: &&Value| {
            ["who", "what", "code", "why"]
                .iter()
                .all(|name| line[*name].as_str().is_some_and(|text| !text.is_empty()))
        };
        let torn = lines.iter().filter(|line| !whole(line)).count();
        group.control(
            format!("{service} says who, what, code and why"),
            torn == 0,
            format!("{torn} of {} don't", lines.len()),
        );
        let named = lines
            .iter()
            .filter(|line| line["who"].as_str().is_some_and(|who| who.starts_with("usr_")))
            .count();
        group.control(
            format!("{service} names users by their id"),
            named > 0,
            format!("{named} lines"),
        );
    }
    Ok(())
}
