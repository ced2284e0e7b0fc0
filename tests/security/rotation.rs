//! What takes a minute to be known everywhere: a new signing key, a withdrawn one, ended sessions, a disabled user.
//!
//! It is set going before the other groups and looked at after them. All the while somebody shops with the same
//! token, and must never be refused.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use roster::SERVICES;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::forge::{Forge, claims_of, header_of, now};
use crate::identity::{DISABLE, END};
use crate::ledger::Group;
use crate::people::{Outside, PASSWORD, People, Person, person};
use crate::world::{FORMER_KID, World, binaries};

pub(crate) const CASES: &[Case] = &[(
    "ends: a new key, a withdrawn key, ended sessions and a disabled user, everywhere",
    everywhere,
)];

/// Auth looks every 10 s, the services every 60 s; a slow machine gets some more.
const KNOWN_WITHIN: Duration = Duration::from_secs(100);

/// What was set going.
pub(crate) struct Ends {
    begun: Instant,
    said: String,
    shopper: Person,
    phone: Person,
    mallory: Person,
    /// Signed by the key that was withdrawn; outlives it.
    former: String,
    load: Arc<Load>,
    shopping: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Ends {
    /// Rotates and withdraws keys, ends a session, disables a user, and lets somebody shop from now on.
    pub(crate) async fn begin(
        http: &reqwest::Client,
        plan: &dev_stack::stack::Plan,
        forge: &Forge,
        people: &People,
    ) -> Result<Self> {
        let outside = Outside::new(http, plan);
        let (shopper, phone, mallory) = (
            outside.newcomer("rita").await?,
            outside.newcomer("cleo").await?,
            outside.newcomer("mallory").await?,
        );
        let laptop = outside.sign_in(&phone.email, PASSWORD).await?;
        let former = forge.former_user().with_claim("exp", json!(now() + 800));
        let shop = "{ me { id orders(first: 1) { nodes { id } } } products(first: 1) { nodes { id variants { id availability { status } } } } }";
        for token in [&phone.token, &mallory.token, &former] {
            outside
                .data(Some(token), shop, json!({}))
                .await
                .context("a token that is good as yet")?;
        }
        let load = Arc::new(Load::default());
        let (running, url, token, http) = (
            Arc::clone(&load),
            plan.graphql_url(),
            shopper.token.clone(),
            http.clone(),
        );
        let shopping = tokio::spawn(async move { running.run(http, url, token, shop).await });
        let begun = Instant::now();
        let mut command = Command::new(binaries()?.join("xtask"));
        command
            .args(["keys", "rotate", "--no-wait"])
            .env("MERCATO_DATA", &plan.folder)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.context("cargo xtask keys rotate")?;
        let said = String::from_utf8_lossy(&output.stdout).trim().replace('\n', "; ");
        ensure!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::remove_file(plan.folder.join(format!("keys/users/{FORMER_KID}.pem")))?;
        let session = claims_of(&phone.token)?["sid"].clone();
        outside
            .data(
                Some(&laptop.token),
                END,
                json!({ "input": { "sessionId": session } }),
            )
            .await?;
        let disable = json!({ "input": { "userId": mallory.id, "disabled": true } });
        outside
            .staff()
            .data(Some(&people.admin.token), DISABLE, disable)
            .await?;
        Ok(Self {
            begun,
            said,
            shopper,
            phone,
            mallory,
            former,
            load,
            shopping: std::sync::Mutex::new(Some(shopping)),
        })
    }
}

fn everywhere(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "ends everywhere");
        let ends = &world.ends;
        group.control(
            "cargo xtask keys rotate",
            ends.said.contains("is published"),
            ends.said.clone(),
        );
        let before = header_of(&ends.shopper.token)?["kid"].clone();
        let fresh = loop {
            let fresh = person(&world.sign_in(&ends.shopper.email, PASSWORD).await?.data()?["login"])?;
            if header_of(&fresh.token)?["kid"] != before || ends.begun.elapsed() > KNOWN_WITHIN {
                break fresh;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        let kid = header_of(&fresh.token)?["kid"].clone();
        group.control(
            "the new key signs",
            kid != before,
            format!("{before} before, {kid} now"),
        );
        for (name, token) in [
            ("the new key", &fresh.token),
            ("the key before it", &ends.shopper.token),
        ] {
            for service in SERVICES {
                let answer = world
                    .ask(Door::Service(service), Some(token), "{ __typename }", json!({}))
                    .await?;
                group.works(format!("{service}: a token of {name}"), &answer);
            }
        }
        for (name, token) in [
            ("of the withdrawn key", &ends.former),
            ("of the ended session", &ends.phone.token),
            ("of the disabled user", &ends.mallory.token),
        ] {
            for service in SERVICES {
                let answer = until_refused(world, ends, service, token).await?;
                group.refused(
                    format!("{service}: an access token {name}"),
                    &answer,
                    &["401 UNAUTHENTICATED"],
                );
            }
            let answer = world
                .greet(json!({ "authorization": format!("Bearer {token}") }))
                .await?;
            group.refused(
                format!("websocket: an access token {name}"),
                &answer,
                &["close 4403"],
            );
            let answer = world
                .show(Door::Service("order"), &[format!("Bearer {token}")])
                .await?;
            group.refused(
                format!("a mutation with an access token {name}"),
                &answer,
                &["401 UNAUTHENTICATED"],
            );
        }
        ends.load.over.store(true, Ordering::Relaxed);
        let shopping = ends.shopping.lock().unwrap().take();
        if let Some(shopping) = shopping {
            shopping.await?;
        }
        let (asked, failed) = (
            ends.load.asked.load(Ordering::Relaxed),
            ends.load.failed.load(Ordering::Relaxed),
        );
        group.control(
            "no request was refused in all that time",
            failed == 0 && asked > 100,
            format!("{failed} of {asked} refused"),
        );
        eprintln!("  {asked} requests while the keys were rotated, {failed} refused");
        group.end().await
    })
}

async fn until_refused(world: &World, ends: &Ends, service: &'static str, token: &str) -> Result<Answer> {
    loop {
        let answer = world
            .ask(Door::Service(service), Some(token), "{ __typename }", json!({}))
            .await?;
        if answer.outcome == "401 UNAUTHENTICATED" || ends.begun.elapsed() > KNOWN_WITHIN {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Somebody who shops all the while.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    asked: AtomicUsize,
    failed: AtomicUsize,
}

impl Load {
    async fn run(&self, http: reqwest::Client, url: String, token: String, query: &str) {
        let body = json!({ "query": query });
        while !self.over.load(Ordering::Relaxed) {
            let answer = match http.post(&url).bearer_auth(&token).json(&body).send().await {
                Ok(response) => Answer::read(response).await,
                Err(error) => Err(error.into()),
            };
            self.asked.fetch_add(1, Ordering::Relaxed);
            if !answer.as_ref().is_ok_and(|answer| answer.outcome == "200 data") {
                self.failed.fetch_add(1, Ordering::Relaxed);
                eprintln!("refused during the rotation: {answer:?}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
