//! GraphQL over HTTP: the audits of the npm package `graphql-http` against the router and every subgraph, and the
//! closes that the npm client `graphql-ws` sees. Needs node.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Case;
use crate::doors::Door;
use crate::forge::now;
use crate::ledger::Group;
use crate::world::{GATEWAY_KEY, World, root};

pub(crate) const CASES: &[Case] = &[
    ("GraphQL over HTTP: every MUST of graphql-http's audits", audits),
    ("graphql-ws: the closes its client sees", closes),
];

/// Audits that say SHOULD or MAY and that we fail on purpose: their ids with the reason. Any other failure is one of
/// ours.
const SHOULDS: &str = include_str!("shoulds.txt");

fn folder() -> PathBuf {
    root().join("tests/security/node")
}

/// Installs the packages once.
fn installed() -> Result<()> {
    static INSTALLED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let done = INSTALLED.get_or_init(|| {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))
            .map(drop)
            .map_err(|error| format!("{error:#}"))
    });
    done.clone().map_err(anyhow::Error::msg)
}

fn run(command: &mut Command) -> Result<String> {
    let output = command
        .current_dir(folder())
        .output()
        .with_context(|| format!("{command:?}: is node installed?"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn reason(listener: &str, id: &str) -> Option<&'static str> {
    SHOULDS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let (who, rest) = line.split_once(' ')?;
            let (audit, reason) = rest.split_once(' ')?;
            ((who == listener || who == "all") && audit == id).then(|| reason.trim())
        })
}

fn audits(world: &World) -> Result<()> {
    installed()?;
    world.runtime.block_on(async {
        let group = Group::begin(world, "GraphQL over HTTP").await?;
        let mut shown = Vec::new();
        // The staff's router is the same program with the same configuration.
        let once = |door: &Door| ![Door::Socket, Door::Staff].contains(door);
        for door in Door::all().into_iter().filter(once) {
            let listener = if door.is_router() { "router" } else { "subgraph" };
            let key = if door.is_router() { "" } else { GATEWAY_KEY };
            // The audits ask for the schema, so their subject must be a process that tells it.
            let changes: &[(&str, &str)] = if door.is_router() {
                &[("ROUTER_INTROSPECTION", "true")]
            } else {
                &[("MERCATO_ENV", "development")]
            };
            let twin = world.twin(door.name(), changes).await?;
            let url = format!("http://127.0.0.1:{}/graphql", twin.graphql);
            let printed = run(Command::new("node").args(["audits.mjs", &url, key]))?;
            let audits: Vec<Value> = serde_json::from_str(&printed)?;
            for audit in audits {
                let (id, name) = (
                    audit["id"].as_str().unwrap_or("?"),
                    audit["name"].as_str().unwrap_or("?"),
                );
                let passed = audit["status"] == "ok";
                let must = name.starts_with("MUST");
                let excuse = reason(listener, id).filter(|_| !must);
                let outcome = match (passed, excuse) {
                    (true, _) => "ok".to_owned(),
                    (false, Some(reason)) => format!("not followed: {reason}"),
                    (false, None) => audit["reason"].as_str().unwrap_or("failed").to_owned(),
                };
                if !passed && excuse.is_some() && listener == "router" {
                    shown.push(format!("{id} {name}: {outcome}"));
                }
                group.judged(
                    format!("{}: {id} {name}", door.name()),
                    passed || excuse.is_some(),
                    outcome,
                );
            }
        }
        for line in shown {
            eprintln!("  SHOULD not followed by the router: {line}");
        }
        group.end().await
    })
}

fn closes(world: &World) -> Result<()> {
    installed()?;
    world.runtime.block_on(async {
        let group = Group::begin(world, "graphql-ws client").await?;
        let url = world.stack.plan().websocket_url("order");
        let brief = world.forge.user().with_claim("exp", serde_json::json!(now() + 4));
        let printed =
            run(Command::new("node").args(["closes.mjs", &url, &world.people.admin.token, &brief]))?;
        let cases: Vec<Value> = serde_json::from_str(&printed)?;
        for case in cases {
            let name = case["name"].as_str().unwrap_or("?");
            let (wanted, got) = (&case["wanted"], &case["got"]);
            group.judged(name, wanted == got, format!("{got}, wanted {wanted}"));
        }
        group.end().await
    })
}
