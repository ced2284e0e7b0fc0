//! Replays real shopping baskets: every household a registered user, every basket a cart, an order and a payment.

mod baskets;
mod report;

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::console::{Console, seconds};
use crate::graph::{Graph, GraphError};
use crate::import::sku;
use crate::operations::{BySkus, Variants};
use crate::progress::{Channel, ProgressError};
use crate::purchase;
use crate::session::{Credentials, Session};
use crate::target::Target;

pub use baskets::Basket;
pub use report::{Outcome, Report};

const SKUS_PER_QUERY: usize = 100;
const LOOKUPS_IN_FLIGHT: usize = 4;

/// Replays baskets from a file of one basket per line.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The file, `.ndjson` or `.ndjson.gz`.
    pub file: PathBuf,
    /// Baskets to replay; all when not given.
    #[arg(long)]
    pub limit: Option<usize>,
    /// Purchases in flight.
    #[arg(long, default_value_t = 16)]
    pub concurrency: usize,
    /// Orders begun per second at most; as fast as they go when not given.
    #[arg(long)]
    pub rate: Option<u32>,
    /// Households that sign in at once before the replay; each costs the server a password hash.
    #[arg(long, default_value_t = 4)]
    pub sign_ins: usize,
    /// Name of the run: the same name repeats the same orders, a new one makes new orders.
    #[arg(long)]
    pub run: Option<String>,
    /// Payment method of every order.
    #[arg(long, default_value = "pm_card_visa")]
    pub payment_method: String,
    /// Seconds to wait for an order's final state.
    #[arg(long, default_value_t = 120)]
    pub patience_s: u64,
    /// A file for the ids of the orders that the graph accepted, one per line, for `cargo xtask audit`.
    #[arg(long)]
    pub acknowledged: Option<PathBuf>,
}

/// A household that shops.
struct Household {
    session: Arc<Session>,
    channel: Channel,
    /// One purchase at a time, as at a till; and a user has one active cart.
    till: Mutex<()>,
}

struct Replay<'r> {
    args: &'r ReplayArgs,
    run: String,
    households: HashMap<u64, Household>,
    /// Variant ids by product.
    variants: HashMap<u64, String>,
    pace: Option<Mutex<Interval>>,
    acknowledged: Option<Mutex<File>>,
}

/// Runs `replay`.
pub async fn replay(target: &Target, args: &ReplayArgs, console: &Console) -> Result<Report> {
    let graph = target.graph()?;
    let scan = baskets::scan(&args.file, args.limit, console)?;
    console.line(format_args!(
        "{} baskets of {} households with {} products",
        scan.baskets,
        scan.households.len(),
        scan.products.len()
    ));
    let replay = Replay {
        args,
        run: args
            .run
            .clone()
            .unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string()),
        variants: variants(&graph, &scan.products, console).await?,
        households: sign_in(target, &graph, &scan.households, args.sign_ins, console).await?,
        pace: args.rate.map(pace),
        acknowledged: args
            .acknowledged
            .as_ref()
            .map(File::create)
            .transpose()?
            .map(Mutex::new),
    };
    console.line(format_args!("run {}", replay.run));
    replay.all(console, scan.baskets).await
}

fn pace(rate: u32) -> Mutex<Interval> {
    let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    Mutex::new(ticks)
}

/// The variants of the products, looked up by SKU.
async fn variants(graph: &Graph, products: &[u64], console: &Console) -> Result<HashMap<u64, String>> {
    let bar = console.bar("products", products.len() as u64);
    let lookups = products.chunks(SKUS_PER_QUERY).map(|products| {
        let bar = bar.clone();
        async move {
            let skus = products.iter().map(|product| sku(*product)).collect();
            let found = graph.run::<Variants>(None, &BySkus { skus }).await?.variants;
            bar.inc(products.len() as u64);
            let pairs = products
                .iter()
                .zip(found)
                .filter_map(|(product, found)| Some((*product, found?.id)));
            Ok::<Vec<(u64, String)>, GraphError>(pairs.collect())
        }
    });
    let found: Vec<Vec<(u64, String)>> = stream::iter(lookups)
        .buffer_unordered(LOOKUPS_IN_FLIGHT)
        .try_collect()
        .await?;
    bar.finish_and_clear();
    let variants: HashMap<u64, String> = found.into_iter().flatten().collect();
    anyhow::ensure!(
        !variants.is_empty(),
        "none of the products is in the catalogue: import it first"
    );
    Ok(variants)
}

/// Registers the households that are new and signs in the others.
async fn sign_in(
    target: &Target,
    graph: &Graph,
    households: &[u64],
    at_once: usize,
    console: &Console,
) -> Result<HashMap<u64, Household>> {
    let bar = console.bar("households", households.len() as u64);
    let signed_in = stream::iter(households.iter().copied())
        .map(|number| {
            let bar = bar.clone();
            async move {
                let session = Session::join(graph, credentials(number)).await;
                let session =
                    Arc::new(session.with_context(|| format!("household {number} could not sign in"))?);
                bar.inc(1);
                let household = Household {
                    channel: Channel::new(target.ws.clone(), Arc::clone(&session)),
                    session,
                    till: Mutex::new(()),
                };
                Ok::<_, anyhow::Error>((number, household))
            }
        })
        .buffer_unordered(at_once.max(1))
        .try_collect()
        .await?;
    bar.finish_and_clear();
    Ok(signed_in)
}

/// The same household is the same user in every run.
fn credentials(number: u64) -> Credentials {
    Credentials {
        email: format!("household-{number}@replay.example"),
        password: format!("Household {number} keeps its own list."),
        display_name: format!("Household {number}"),
    }
}

impl Replay<'_> {
    async fn all(&self, console: &Console, total: u64) -> Result<Report> {
        let bar = console.bar("baskets", total);
        let report = Mutex::new(Report::new(Instant::now()));
        let lines = baskets::open(&self.args.file, self.args.limit)?;
        stream::iter(lines)
            .for_each_concurrent(self.args.concurrency.max(1), |basket| {
                let (bar, report) = (&bar, &report);
                async move {
                    if let Some(pace) = &self.pace {
                        pace.lock().await.tick().await;
                    }
                    let outcome = self.one(&basket).await;
                    if let Outcome::Failed(why) = &outcome {
                        console.line(format_args!("basket {}: {why}", basket.basket_id));
                    }
                    let mut report = report.lock().await;
                    report.add(outcome);
                    bar.set_message(format!("{} paid", report.paid()));
                    bar.inc(1);
                }
            })
            .await;
        bar.finish_and_clear();
        let mut report = report.into_inner();
        report.end(Instant::now());
        for household in self.households.values() {
            household.channel.close().await;
        }
        Ok(report)
    }

    async fn one(&self, basket: &Basket) -> Outcome {
        let Some(household) = self.households.get(&basket.household_id) else {
            return Outcome::Failed("its household did not sign in".to_owned());
        };
        let _till = household.till.lock().await;
        let mut lines = Vec::with_capacity(basket.lines.len());
        for line in &basket.lines {
            match self.variants.get(&line.product_id) {
                Some(variant) => lines.push((variant.clone(), line.quantity)),
                None => return Outcome::Refused("UNKNOWN_PRODUCT".to_owned()),
            }
        }
        let patience = Duration::from_secs(self.args.patience_s);
        match timeout(patience, self.buy(household, basket, &lines)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Failed(format!("no final state in {}", seconds(patience))),
        }
    }

    async fn buy(&self, household: &Household, basket: &Basket, lines: &[(String, u32)]) -> Outcome {
        let key = format!("{}-{}", self.run, basket.basket_id);
        let cart = match purchase::fill_cart(&household.session, &key, lines).await {
            Ok(cart) => cart,
            Err(error) => return not_ordered(&error),
        };
        let sent = Instant::now();
        let order = match purchase::order(&household.session, &key, &cart, &self.args.payment_method).await {
            Ok(order) => order,
            Err(error) => return not_ordered(&error),
        };
        if let Err(error) = self.note(&order.id).await {
            return Outcome::Failed(format!("order {} was not noted: {error}", order.number));
        }
        match self.follow(household, &order.id).await {
            Ok(None) => Outcome::Paid(sent.elapsed()),
            Ok(Some(reason)) => Outcome::Refused(reason),
            Err(error) => Outcome::Failed(format!("order {}: {error}", order.number)),
        }
    }

    async fn note(&self, order_id: &str) -> std::io::Result<()> {
        match &self.acknowledged {
            Some(file) => writeln!(file.lock().await, "{order_id}"),
            None => Ok(()),
        }
    }

    /// Waits for the order's final state; the reason when it is not paid.
    async fn follow(&self, household: &Household, order_id: &str) -> Result<Option<String>, ProgressError> {
        let mut feed = household.channel.follow(order_id, 0);
        loop {
            let progress = feed.next().await?;
            if progress.is_end() {
                let (step, order) = (progress.event.step, progress.order);
                return Ok((step != "PAID").then(|| order.cancel_reason.unwrap_or(order.status)));
            }
        }
    }
}

/// A business reason is an answer; anything else is a failure.
fn not_ordered(error: &GraphError) -> Outcome {
    match error {
        GraphError::Refused(_) => Outcome::Refused(error.code()),
        other => Outcome::Failed(other.to_string()),
    }
}
