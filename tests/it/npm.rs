//! Stock clients from npm. Needs node, which the web page needs too.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::Case;
use crate::world::{World, root, steps};

pub(crate) const CASES: &[Case] = &[
    ("the npm client graphql-ws receives an order's steps", graphql_ws),
    ("a plain Apollo Client 4 receives an order's steps", apollo_client),
    ("a plain urql client receives an order's steps", urql),
];

fn folder() -> PathBuf {
    root().join("tests/node")
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

fn graphql_ws(world: &World) -> Result<()> {
    installed()?;
    let (ada, order) = slow_order(world)?;
    let printed = run(Command::new("node").args(["graphql-ws.mjs", ada.websocket(), ada.token(), &order]))?;
    let events: Vec<Value> = serde_json::from_str(&printed)?;
    ensure!(steps(&events).last() == Some(&"PAID"), "{printed}");
    Ok(())
}

fn apollo_client(world: &World) -> Result<()> {
    watches_and_asks(world, "apollo-client.mjs")
}

fn urql(world: &World) -> Result<()> {
    watches_and_asks(world, "urql.mjs")
}

/// A client that prints the steps it was told, and the order as it then found it.
fn watches_and_asks(world: &World, client: &str) -> Result<()> {
    installed()?;
    let (ada, order) = slow_order(world)?;
    let printed = run(Command::new("node").args([client, ada.url(), ada.websocket(), ada.token(), &order]))?;
    let answer: Value = serde_json::from_str(&printed)?;
    let events = answer["steps"].as_array().context("no steps")?;
    ensure!(steps(events).last() == Some(&"PAID"), "{printed}");
    ensure!(answer["order"]["status"] == "PAID", "{printed}");
    ensure!(
        answer["order"]["timeline"].as_array().map(Vec::len) == Some(events.len()),
        "{printed}"
    );
    Ok(())
}

fn slow_order(world: &World) -> Result<(crate::client::Graph, String)> {
    world.runtime.block_on(async {
        let (ada, variant) = (world.customer().await?, world.product(3).await?);
        let order = ada.buy(&variant, 1, "pm_mercato_slow").await?;
        Ok((ada, order))
    })
}
