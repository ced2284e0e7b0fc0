//! Loads catalogues and their stock through the administrator's mutations, in batches, some of them in flight.
//!
//! Both mutations are upserts, so a run that was cut off is repeated, or goes on at a line. Memory holds the batches
//! in flight and no more.

mod batch;
mod lines;
mod state;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, stream};
use indicatif::ProgressBar;

use crate::console::Console;
use crate::graph::GraphError;
use crate::ndjson;
use crate::operations::{Catalogue, CreateCoupon, First, Input};
use crate::session::Session;
use crate::target::Target;

pub use lines::{Entry, ProductLine, SeedFile, sku, slug};

use batch::{Batches, Sent};
use state::Position;

/// The most the mutations take at once.
const BATCH: usize = 200;

/// Loads products from a file of one product per line.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file, `.ndjson` or `.ndjson.gz`.
    pub file: PathBuf,
    /// Units of each product.
    #[arg(long, default_value_t = 1_000_000)]
    pub stock: u32,
    /// The line to begin with.
    #[arg(long, default_value_t = 1)]
    pub from_line: u64,
    /// A file that remembers how far the import came: run again with it, it goes on there.
    #[arg(long)]
    pub state: Option<PathBuf>,
    /// Batches in flight.
    #[arg(long, default_value_t = 4)]
    pub in_flight: usize,
}

/// Fills an empty catalogue.
#[derive(Debug, clap::Args)]
pub struct SeedArgs {
    /// The catalogue; `subgraphs/product/seed/README.md` tells its format.
    pub file: PathBuf,
}

/// What an import came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Products that are new.
    pub created: u64,
    /// Products that changed.
    pub updated: u64,
    /// Products that were equal already.
    pub unchanged: u64,
    /// SKUs whose stock rose.
    pub stocked: u64,
    /// Lines that were not loaded.
    pub faults: u64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            created,
            updated,
            unchanged,
            stocked,
            faults,
        } = self;
        write!(
            f,
            "{created} products created, {updated} updated, {unchanged} unchanged; stock of {stocked} raised; \
             {faults} lines not loaded"
        )
    }
}

/// Runs `import`.
pub async fn import(target: &Target, args: &ImportArgs, console: &Console) -> Result<Summary> {
    let session = target.admin().await?;
    let total = ndjson::count(&args.file).with_context(|| args.file.display().to_string())?;
    let position = Position::open(args.state.as_deref(), args.from_line)?;
    let stock = args.stock;
    let lines = ndjson::open::<ProductLine>(&args.file)?;
    let entries = lines.map(move |line| Ok(line?.and_then(|product| product.entry(stock))));
    let job = Job {
        session: &session,
        console,
        bar: console.bar("products", total),
        in_flight: args.in_flight.max(1),
    };
    job.load(entries, position).await
}

/// Runs `seed`; `None` when there are products already.
pub async fn seed(target: &Target, args: &SeedArgs, console: &Console) -> Result<Option<Summary>> {
    let graph = target.graph()?;
    let session = target.admin().await?;
    let catalogue = graph.run::<Catalogue>(None, &First { first: 1 }).await?;
    if !catalogue.products.nodes.is_empty() {
        return Ok(None);
    }
    let named = || args.file.display().to_string();
    let text = std::fs::read(&args.file).with_context(named)?;
    let mut file = serde_json::from_slice::<SeedFile>(&text).with_context(named)?;
    for input in file.take_coupons() {
        let made = session.run::<CreateCoupon>(&Input { input }).await?.create_coupon;
        // One that is there already is left as it is.
        if let Some(error) = made
            .user_errors
            .iter()
            .find(|error| error.code != "COUPON_EXISTS")
        {
            bail!("a coupon was refused: {}", error.message);
        }
    }
    let lines: Vec<_> = file.lines().collect();
    let job = Job {
        session: &session,
        console,
        bar: console.bar("products", lines.len() as u64),
        in_flight: 2,
    };
    job.load(lines.into_iter().map(Ok), Position::open(None, 1)?)
        .await
        .map(Some)
}

struct Job<'j> {
    session: &'j Session,
    console: &'j Console,
    bar: ProgressBar,
    in_flight: usize,
}

impl Job<'_> {
    async fn load<I>(&self, entries: I, mut position: Position) -> Result<Summary>
    where
        I: Iterator<Item = std::io::Result<ndjson::Line<Entry>>>,
    {
        let mut summary = Summary::default();
        let batches = Batches::new(entries, position.first_line(), BATCH);
        // In order, so that everything before a finished batch is finished too.
        let mut sent = stream::iter(batches)
            .map(|batch| async { Ok::<Sent, anyhow::Error>(batch?.send(self.session).await?) })
            .buffered(self.in_flight);
        while let Some(outcome) = sent.next().await {
            let sent = outcome.map_err(|error| self.stopped(error, &position))?;
            self.tell(&sent, &mut summary);
            position.reached(sent.last_line)?;
        }
        self.bar.finish_and_clear();
        Ok(summary)
    }

    fn tell(&self, sent: &Sent, summary: &mut Summary) {
        for (line, why) in &sent.faults {
            self.console.line(format_args!("line {line}: {why}"));
        }
        summary.created += sent.created;
        summary.updated += sent.updated;
        summary.unchanged += sent.unchanged;
        summary.stocked += sent.stocked;
        summary.faults += sent.faults.len() as u64;
        self.bar.set_position(sent.last_line);
    }

    fn stopped(&self, error: anyhow::Error, position: &Position) -> anyhow::Error {
        self.bar.abandon();
        let next = position.first_line();
        match error.downcast_ref::<GraphError>() {
            Some(_) => error.context(format!("stopped; go on with --from-line {next}")),
            None => error,
        }
    }
}
