//! Has the sums of analytics made again, by asking for it in the admin graph, and waits for the end.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use shopper::graph::Operation;
use shopper::operations::{Input, UserError};
use shopper::target::Target;

/// Begins it.
struct RebuildSales;
/// Asks how it stands.
struct SalesRebuild;

#[derive(Serialize)]
struct RebuildSalesInput {
    reason: String,
}

/// Takes nothing.
#[derive(Serialize)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BeginData {
    rebuild_sales: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LastData {
    sales_rebuild: Option<Rebuild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    rebuild: Option<Rebuild>,
    user_errors: Vec<UserError>,
}

/// How it stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Rebuild {
    /// Its id.
    pub id: String,
    /// `RUNNING`, `DONE` or `FAILED`.
    pub state: String,
    /// Events that were read.
    pub facts: Option<i64>,
    /// Orders they are about.
    pub orders: Option<i64>,
    /// Why it came to nothing.
    pub failure: Option<String>,
}

impl Operation for RebuildSales {
    const NAME: &'static str = "RebuildSales";
    const TEXT: &'static str = include_str!("../operations/rebuild_sales.graphql");
    type Variables = Input<RebuildSalesInput>;
    type Data = BeginData;
}

impl Operation for SalesRebuild {
    const NAME: &'static str = "SalesRebuild";
    const TEXT: &'static str = include_str!("../operations/sales_rebuild.graphql");
    type Variables = Nothing;
    type Data = LastData;
}

/// A rebuild that came to its end.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    rebuild: Rebuild,
    took: Duration,
    /// It was under way before we asked.
    joined: bool,
}

/// Has the sums made again, or joins who is at it, and asks every `pause` until that ends.
pub async fn rebuild(target: &Target, reason: &str, pause: Duration) -> Result<Rebuilt> {
    let session = target.admin().await?;
    let begun = Instant::now();
    let input = RebuildSalesInput {
        reason: reason.to_owned(),
    };
    let payload = session.run::<RebuildSales>(&Input { input }).await?.rebuild_sales;
    let joined = !payload.user_errors.is_empty();
    let mut rebuild = match (payload.rebuild, payload.user_errors.first()) {
        (Some(rebuild), _) => rebuild,
        (None, Some(refused)) => bail!("refused: {refused}"),
        (None, None) => bail!("the graph began nothing"),
    };
    while rebuild.state == "RUNNING" {
        tokio::time::sleep(pause).await;
        let last = session.run::<SalesRebuild>(&Nothing {}).await?.sales_rebuild;
        rebuild = last.context("the graph knows no rebuild any more")?;
    }
    if rebuild.state != "DONE" {
        let why = rebuild.failure.as_deref().unwrap_or("it does not say why");
        bail!("the sums are as they were: {why}");
    }
    Ok(Rebuilt {
        rebuild,
        took: begun.elapsed(),
        joined,
    })
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rebuild {
            id, facts, orders, ..
        } = &self.rebuild;
        write!(
            f,
            "The sums were made again from {} events of {} orders in {:.1} s (rebuild {id}{})",
            facts.unwrap_or_default(),
            orders.unwrap_or_default(),
            self.took.as_secs_f64(),
            if self.joined { ", under way before" } else { "" },
        )
    }
}
