//! Chaos: real processes under load, every link through a proxy, and a seeded schedule of faults.

mod checks;
mod dump;
mod events;
mod evidence;
mod inject;
mod listeners;
mod load;
mod report;
mod schedule;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use auditor::{Expectations, Report};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::world::{DEADLINE_S, MARGIN_S, Options, World, provider_mix};
use evidence::Evidence;
use load::{Load, Notes};
pub(crate) use report::replace_section;
use schedule::{Planned, Size};

const PRODUCTS: usize = 40;
/// So many that nothing is sold out: contention is another campaign.
const UNITS: u32 = 100_000;
const CUSTOMERS: usize = 6;
/// When all faults have ended, every order must be final within this.
const LIVENESS: Duration = Duration::from_mins(1);

/// How a campaign is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The schedule and the buyers' behaviour; a random one when not given
    #[arg(long)]
    seed: Option<u64>,
    /// Orders to place: 3,000 for smoke, 40,000 for soak when not given
    #[arg(long)]
    orders: Option<u64>,
    /// Orders begun per second
    #[arg(long)]
    rate: Option<f64>,
    /// No faults: what the machine can do
    #[arg(long)]
    peace: bool,
    /// Show the schedule and stop
    #[arg(long)]
    plan: bool,
    /// Folder of the services' programs; the one this program is in when not given
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// Put the report into docs/chaos.md
    #[arg(long)]
    write: bool,
}

/// All that is known at the end of a campaign.
struct Campaign {
    size: Size,
    seed: u64,
    per_second: f64,
    planned: Vec<Planned>,
    begun: Instant,
    faults_ended: Instant,
    /// When the last order was final, if all are.
    all_final: Option<Instant>,
    evidence: Evidence,
    notes: Notes,
    seen: watch::Seen,
    audit: Report,
}

pub(crate) async fn smoke(arguments: Arguments) -> Result<bool> {
    run(Size::Smoke, arguments).await
}

pub(crate) async fn soak(arguments: Arguments) -> Result<bool> {
    run(Size::Soak, arguments).await
}

async fn run(size: Size, arguments: Arguments) -> Result<bool> {
    let (orders, per_second) = match size {
        Size::Smoke => (arguments.orders.unwrap_or(3_000), arguments.rate.unwrap_or(10.0)),
        Size::Soak => (arguments.orders.unwrap_or(40_000), arguments.rate.unwrap_or(15.0)),
    };
    let seed = arguments.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    #[expect(clippy::cast_precision_loss, reason = "there are thousands of orders")]
    let length = Duration::from_secs_f64(orders as f64 / per_second);
    let planned = if arguments.peace {
        Vec::new()
    } else {
        schedule::draw(seed, size, length)
    };
    println!(
        "seed {seed}: {orders} orders, {per_second} per second, {} faults",
        planned.len()
    );
    for Planned { at, fault } in &planned {
        println!("  from {:6.1} s  {fault}", at.as_secs_f64());
    }
    if arguments.plan {
        return Ok(true);
    }
    let options = Options {
        binaries: crate::binaries(arguments.binaries)?,
        proxied: true,
        deadline_s: DEADLINE_S,
    };
    println!("starting the system");
    let world = Arc::new(World::start(&options).await?);
    let outcome = campaign(&world, size, seed, orders, per_second, planned).await;
    let good = match &outcome {
        Ok(campaign) => conclude(&world, campaign, arguments.write).await?,
        Err(_) => false,
    };
    if let Ok(world) = Arc::try_unwrap(world).map_err(|_| ()) {
        world.finish(!good).await?;
    }
    outcome.map(|_| good)
}

/// Judges, tells, and of a failed campaign writes down what is known of the orders concerned.
async fn conclude(world: &World, campaign: &Campaign, write: bool) -> Result<bool> {
    let verdict = checks::judge(world, campaign).await?;
    let text = report::markdown(world, campaign, &verdict).await?;
    println!("\n{text}");
    let good = verdict.iter().all(|check| check.fault.is_none());
    if !good {
        let file = crate::world::root().join(format!("target/faults-dump-{}.txt", campaign.seed));
        std::fs::write(&file, dump::orders(world, campaign, &verdict).await?)?;
        println!(
            "seed {}; the orders concerned are in {}",
            campaign.seed,
            file.display()
        );
    }
    if write && good {
        report::write(campaign.size, &text)?;
    }
    Ok(good)
}

async fn campaign(
    world: &Arc<World>,
    size: Size,
    seed: u64,
    orders: u64,
    per_second: f64,
    planned: Vec<Planned>,
) -> Result<Campaign> {
    let (evidence, notes) = (Evidence::default(), Notes::default());
    let variants = world.products(PRODUCTS, UNITS).await.context("the products")?;
    let load = Load {
        seed,
        orders,
        per_second,
        variants: variants.into_iter().map(|(_, variant)| variant).collect(),
        customers: world.customers(CUSTOMERS).await.context("the customers")?,
        nobody: world.graph.clone(),
        notes: notes.clone(),
    };
    let peaceful = planned.is_empty();
    if !peaceful {
        world.provider(provider_mix()).await?;
        inject::fair(world, true);
    }
    let (stop_watching, stop_copying) = (CancellationToken::new(), CancellationToken::new());
    let watcher = tokio::spawn(watch::watch(
        Arc::clone(world),
        evidence.clone(),
        stop_watching.clone(),
    ));
    let copier = (!peaceful).then(|| {
        let copy = events::duplicate(Arc::clone(world), evidence.clone(), stop_copying.clone());
        tokio::spawn(copy)
    });
    let begun = Instant::now();
    let faults_over = CancellationToken::new();
    let injector = async {
        inject::run(Arc::clone(world), evidence.clone(), planned.clone(), begun).await;
        if !peaceful {
            inject::kill_until_met(world, &evidence, begun).await;
        }
        faults_over.cancel();
    };
    tokio::join!(load.run(faults_over.clone()), injector);
    inject::fair(world, false);
    world
        .provider(
            json!({ "mix": { "ok": 0, "decline": 0, "timeout_then_ok": 0, "never": 0, "late_success": 0 } }),
        )
        .await?;
    let faults_ended = Instant::now();
    println!("{:7.1} s  all faults are over", begun.elapsed().as_secs_f64());
    let all_final = await_final(world, faults_ended).await;
    stop_copying.cancel();
    if let Some(copier) = copier {
        copier.await?;
    }
    let repeated = if peaceful {
        0
    } else {
        events::repeat_the_last(world, 50).await?
    };
    evidence.add("events delivered again after the end", repeated);
    // Late money may still be on its way: the provider takes it seconds after a cancellation.
    let provider = world.provider_books()?;
    auditor::wait_for_rest(&world.books, Some(&provider), LIVENESS).await?;
    stop_watching.cancel();
    let seen = watcher.await?;
    let audit = audit(world, &evidence, &notes).await?;
    Ok(Campaign {
        size,
        seed,
        per_second,
        planned,
        begun,
        faults_ended,
        all_final,
        evidence,
        notes,
        seen,
        audit,
    })
}

/// Waits up to twice as long as it may take, so that the report can say how late it was.
async fn await_final(world: &World, faults_ended: Instant) -> Option<Instant> {
    while faults_ended.elapsed() < 2 * LIVENESS {
        let open = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM orders WHERE terminal_at IS NULL");
        if open
            .fetch_one(&world.books.order)
            .await
            .is_ok_and(|open| open == 0)
        {
            return Some(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    None
}

/// Every invariant. Poison of an unknown order waits between tries: the audit may meet it just when it is due.
async fn audit(world: &World, evidence: &Evidence, notes: &Notes) -> Result<Report> {
    let poison = evidence.with(|record| record.counts.get("poison messages").copied().unwrap_or(0));
    let expected = Expectations {
        grace_s: 0.0,
        margin_s: f64::from(MARGIN_S),
        idle_s: 5.0,
        poison: i64::try_from(poison)?,
        sold: Vec::new(),
        acknowledged: notes.with(|ledger| ledger.acknowledged.iter().map(|(id, _)| *id).collect()),
        logs: Some(world.plan.folder.join("logs")),
        broker: Some(world.broker()),
        provider: Some(world.provider_books()?),
        analytics: world.analytics(),
    };
    let mut report = auditor::audit(&world.books, &expected).await?;
    for _ in 0..10 {
        if report
            .finding("I10")
            .is_none_or(|finding| finding.holds != Some(false))
        {
            break;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        report = auditor::audit(&world.books, &expected).await?;
    }
    Ok(report)
}
