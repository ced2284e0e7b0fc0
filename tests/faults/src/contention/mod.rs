//! Contention: many buyers want the same thing at the same time. The results are exact numbers.

mod broker;
mod holds;
mod hot;

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use auditor::Expectations;
use contracts::OrderId;
use futures::{StreamExt, stream};
use serde_json::json;

use crate::graph::{Fault, Graph, Ordered, fresh_key};
use crate::world::{MARGIN_S, Options, World};

/// Nothing here may be given up because the machine is slow.
const DEADLINE_S: u32 = 240;
const STUBBORNNESS: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(200);
const CUSTOMERS: usize = 8;

/// How much of everything; the values not given are those of the design.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sizes of a CI run: a few minutes
    #[arg(long)]
    small: bool,
    /// Not used: contention draws nothing; accepted so that every campaign takes the same arguments
    #[arg(long)]
    seed: Option<u64>,
    /// Run only the scenarios whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Folder of the services' programs; the one this program is in when not given
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// Put the report into docs/chaos.md
    #[arg(long)]
    write: bool,
}

/// The numbers of the scenarios.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    units: u32,
    buyers: usize,
    at_once: usize,
    crossing: Duration,
    twins: usize,
    holds: usize,
    broker_down: Duration,
}

const FULL: Sizes = Sizes {
    units: 100,
    buyers: 1_000,
    at_once: 64,
    crossing: Duration::from_mins(1),
    twins: 50,
    holds: 5_000,
    broker_down: Duration::from_mins(2),
};
const SMALL: Sizes = Sizes {
    units: 50,
    buyers: 300,
    at_once: 64,
    crossing: Duration::from_secs(15),
    twins: 50,
    holds: 1_000,
    broker_down: Duration::from_secs(20),
};

/// The world with who buys in it, and what was bought so far.
struct Shop<'w> {
    world: &'w World,
    customers: Vec<Graph>,
    sizes: Sizes,
}

/// What a scenario found.
struct Outcome {
    name: &'static str,
    took: Duration,
    /// Figures in words, or why it failed.
    result: Result<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<bool> {
    let sizes = if arguments.small { SMALL } else { FULL };
    let options = Options {
        binaries: crate::binaries(arguments.binaries)?,
        proxied: false,
        deadline_s: DEADLINE_S,
    };
    println!("starting the system");
    let world = World::start(&options).await?;
    let outcomes = scenarios(&world, sizes, arguments.only.as_deref()).await;
    let good = outcomes
        .as_ref()
        .is_ok_and(|outcomes| outcomes.iter().all(|outcome| outcome.result.is_ok()));
    if let Ok(outcomes) = &outcomes {
        let text = report(outcomes, sizes)?;
        println!("\n{text}");
        if arguments.write && good {
            crate::chaos::replace_section("Contention", &text)?;
        }
    }
    world.finish(!good).await?;
    outcomes.map(|_| good)
}

async fn scenarios(world: &World, sizes: Sizes, only: Option<&str>) -> Result<Vec<Outcome>> {
    let customers = world.customers(CUSTOMERS).await?;
    let shop = Shop {
        world,
        customers: customers.into_iter().map(|(_, graph)| graph).collect(),
        sizes,
    };
    let mut outcomes = Vec::new();
    // The holds come last: they belong to no order, and the events of their end wait for one.
    for (name, _) in NAMES
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| name.contains(only)))
    {
        println!("{name}");
        let begun = Instant::now();
        let result = shop.scenario(name).await;
        match &result {
            Ok(figures) => println!("  {figures}"),
            Err(error) => println!("  FAILED: {error:#}"),
        }
        outcomes.push(Outcome {
            name,
            took: begun.elapsed(),
            result,
        });
    }
    Ok(outcomes)
}

/// Scenarios, in their order, and what each must show.
const NAMES: &[(&str, &str)] = &[
    ("hot product", "every unit is sold, and no more"),
    (
        "hot product, every fifth payment declined",
        "units come back and are sold again",
    ),
    ("crossing baskets", "shuffled lines deadlock nobody"),
    ("one key", "one order, one answer"),
    (
        "broker away",
        "orders are accepted, and the backlog is gone within 30 s",
    ),
    (
        "holds expire at once",
        "they are gone within 10 s, and checkouts go on",
    ),
];

impl Shop<'_> {
    async fn scenario(&self, name: &str) -> Result<String> {
        match name {
            "hot product" => hot::product(self, 0).await,
            "hot product, every fifth payment declined" => hot::product(self, 20).await,
            "crossing baskets" => hot::crossing(self).await,
            "one key" => hot::one_key(self).await,
            "broker away" => broker::away(self).await,
            "holds expire at once" => holds::expire(self).await,
            other => bail!("no such scenario: {other}"),
        }
    }

    fn customer(&self, number: usize) -> &Graph {
        &self.customers[number % self.customers.len()]
    }

    /// Orders these variants, asking again until there is an answer. The id of an order that was accepted.
    async fn order(&self, number: usize, variants: &[&str]) -> Result<String> {
        let begun = Instant::now();
        let (cart_key, key) = (fresh_key(), fresh_key());
        let mut last = None;
        while begun.elapsed() < STUBBORNNESS {
            match self.try_order(number, variants, &cart_key, &key).await {
                Ok(Ordered::Order(order)) => return Ok(order),
                Ok(Ordered::Refused(code)) if code == "IN_PROGRESS" => {}
                Ok(Ordered::Refused(code)) => bail!("createOrder refused: {code}"),
                Err(fault) => last = Some(fault),
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("an order was never accepted: {last:?}")
    }

    async fn try_order(
        &self,
        number: usize,
        variants: &[&str],
        cart_key: &str,
        key: &str,
    ) -> Result<Ordered, Fault> {
        let cart = self.world.graph.create_cart(variants, cart_key).await?;
        self.customer(number)
            .create_order(&cart, "pm_card_visa", key)
            .await
    }

    /// Runs purchases, so many at a time.
    async fn orders(&self, baskets: Vec<Vec<&str>>) -> Result<Vec<OrderId>> {
        let purchases = baskets
            .into_iter()
            .enumerate()
            .map(|(number, basket)| async move {
                let order = self.order(number, &basket).await?;
                Ok::<OrderId, anyhow::Error>(order.parse()?)
            });
        let done: Vec<Result<OrderId>> = stream::iter(purchases)
            .buffer_unordered(self.sizes.at_once)
            .collect()
            .await;
        done.into_iter().collect()
    }

    /// Waits until every order is final; how long it took.
    async fn await_final(&self, patience: Duration) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            let open: i64 = sqlx::query_scalar("SELECT count(*) FROM orders WHERE terminal_at IS NULL")
                .fetch_one(&self.world.books.order)
                .await?;
            if open == 0 {
                return Ok(begun.elapsed());
            }
            ensure!(
                begun.elapsed() < patience,
                "{open} orders are open after {patience:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many of these orders ended so.
    async fn count(&self, orders: &[OrderId], status: &str) -> Result<i64> {
        let ids: Vec<uuid::Uuid> = orders.iter().map(|order| order.uuid()).collect();
        let count = sqlx::query_scalar("SELECT count(*) FROM orders WHERE id = ANY($1) AND status = $2");
        Ok(count
            .bind(ids)
            .bind(status)
            .fetch_one(&self.world.books.order)
            .await?)
    }

    /// Every invariant, once all is at rest.
    async fn audit(&self, acknowledged: &[OrderId], sold: Vec<(String, i64)>, poison: i64) -> Result<()> {
        let provider = self.world.provider_books()?;
        auditor::wait_for_rest(&self.world.books, Some(&provider), Duration::from_mins(1)).await?;
        let expected = Expectations {
            margin_s: f64::from(MARGIN_S),
            idle_s: 5.0,
            poison,
            sold,
            acknowledged: acknowledged.to_vec(),
            logs: Some(self.world.plan.folder.join("logs")),
            broker: Some(self.world.broker()),
            provider: Some(provider),
            analytics: self.world.analytics(),
            ..Expectations::default()
        };
        let report = auditor::audit(&self.world.books, &expected).await?;
        let broken = report
            .findings
            .iter()
            .filter(|finding| finding.holds != Some(true));
        let broken: Vec<String> = broken
            .map(|finding| format!("{} {}: {}", finding.id, finding.title, finding.notes.join("; ")))
            .collect();
        ensure!(broken.is_empty(), "{}", broken.join("\n"));
        Ok(())
    }

    /// Deadlocks that PostgreSQL has counted in all databases.
    async fn deadlocks(&self) -> Result<i64> {
        let sum = "SELECT coalesce(sum(deadlocks), 0)::bigint FROM pg_stat_database";
        Ok(sqlx::query_scalar(sum).fetch_one(&self.world.postgres).await?)
    }

    async fn declining(&self, percent: u32) -> Result<()> {
        self.world
            .provider(json!({ "mix": { "ok": 100 - percent, "decline": percent } }))
            .await
    }
}

/// Orders in a second.
#[expect(clippy::cast_precision_loss, reason = "there are thousands of orders")]
fn rate(orders: usize, took: Duration) -> f64 {
    orders as f64 / took.as_secs_f64()
}

fn report(outcomes: &[Outcome], sizes: Sizes) -> Result<String> {
    let mut text = format!("## Contention\n\n{} buyers at a time.\n\n", sizes.at_once);
    writeln!(text, "| scenario | must | found | s |\n|---|---|---|---|")?;
    for outcome in outcomes {
        let must = NAMES
            .iter()
            .find(|(name, _)| *name == outcome.name)
            .map_or("", |(_, must)| must);
        let found = match &outcome.result {
            Ok(figures) => figures.clone(),
            Err(error) => format!("**BROKEN** {error:#}"),
        };
        writeln!(
            text,
            "| {} | {must} | {found} | {:.0} |",
            outcome.name,
            outcome.took.as_secs_f64()
        )?;
    }
    Ok(text)
}
