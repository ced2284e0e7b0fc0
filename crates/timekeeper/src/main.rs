//! The timekeeper's command line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use shopper::console::Console;
use shopper::graph::Graph;
use timekeeper::counters::Counters;
use timekeeper::door::Door;
use timekeeper::operations::Recordings;
use timekeeper::typical::Places;
use timekeeper::{pages, typical};
use url::Url;

/// Measures a running system.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Address of the graph.
    #[arg(
        long,
        global = true,
        env = "MERCATO_GRAPHQL_URL",
        default_value = "http://127.0.0.1:4000/graphql"
    )]
    graphql: Url,
    /// Address of product's own graph.
    #[arg(long, global = true, env = "MERCATO_PRODUCT_URL")]
    product: Option<Url>,
    /// What the router shows to subgraphs.
    #[arg(long, global = true, env = "GATEWAY_KEY", hide_env_values = true)]
    gateway_key: Option<String>,
    /// The services' pages of metrics.
    #[arg(
        long,
        global = true,
        env = "MERCATO_METRICS",
        value_delimiter = ',',
        value_name = "NAME=URL"
    )]
    metrics: Vec<String>,
    /// Folder of the manifests of recorded operations.
    #[arg(
        long,
        global = true,
        env = "MERCATO_MANIFESTS",
        default_value = "router/persisted"
    )]
    manifests: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Pages(pages::PagesArgs),
    Graph(typical::GraphArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            Console::new().line(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether the figures are as they should be.
async fn run(cli: Cli) -> Result<bool> {
    let recorded = Recordings::read(&cli.manifests)?;
    let router = Door::try_new(cli.graphql.clone(), None)?;
    let product = || {
        let url = cli
            .product
            .clone()
            .context("give product's own address: --product")?;
        Door::try_new(url, cli.gateway_key.clone())
    };
    match &cli.command {
        Command::Pages(args) if args.past => pages::run(&product()?, &recorded, args).await,
        Command::Pages(args) => pages::run(&router, &recorded, args).await,
        Command::Graph(args) => {
            let places = Places {
                router,
                product: product()?,
                counters: Counters::try_new(named(&cli.metrics)?)?,
                graph: Graph::try_new(cli.graphql.clone())?,
            };
            typical::run(&places, &recorded, args).await?;
            Ok(true)
        }
    }
}

fn named(pages: &[String]) -> Result<BTreeMap<String, Url>> {
    let page = |text: &String| {
        let (name, url) = text
            .split_once('=')
            .with_context(|| format!("{text} is not NAME=URL"))?;
        Ok((name.to_owned(), url.parse().with_context(|| text.clone())?))
    };
    pages.iter().map(page).collect()
}
