//! `auditor`: checks every invariant of the saga and tells which hold.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use auditor::{Addresses, Books, Broker, Expectations, Provider, Report};
use clap::Parser;
use contracts::OrderId;
use url::Url;

/// Checks the invariants of the order saga over the databases of order, inventory and payment. Exits with 1 when
/// one is broken, with 2 when they could not be checked.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address of order's database
    #[arg(long, env = "ORDER_DATABASE_URL", hide_env_values = true)]
    order_db: String,
    /// Address of inventory's database
    #[arg(long, env = "INVENTORY_DATABASE_URL", hide_env_values = true)]
    inventory_db: String,
    /// Address of payment's database
    #[arg(long, env = "PAYMENT_DATABASE_URL", hide_env_values = true)]
    payment_db: String,
    /// Address of the broker, to count parked messages
    #[arg(long, env = "AMQP_URL", hide_env_values = true, value_name = "URL")]
    amqp: Option<String>,
    /// Wait so long for the system to come to rest, and then judge everything
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Without --wait: what changed in the last seconds is not judged
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    grace: f64,
    /// How much longer a reservation lives than its order's deadline
    #[arg(long, value_name = "SECONDS", default_value_t = Expectations::MARGIN_S)]
    margin: f64,
    /// How many poison messages were injected
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    poison: i64,
    /// Exactly so many units of a SKU must be sold; may be repeated
    #[arg(long, value_name = "SKU=UNITS", value_parser = sold)]
    sold: Vec<(String, i64)>,
    /// A file with the ids of acknowledged orders, one per line
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
    /// A folder of logs to search for secrets
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
    /// The payment sandbox, to compare its books with ours
    #[arg(long, env = "MERCATO_PSP_URL", value_name = "URL", requires = "provider_key")]
    provider: Option<Url>,
    /// The merchant's key at the provider
    #[arg(long, env = "MERCATO_PSP_API_KEY", hide_env_values = true, value_name = "KEY")]
    provider_key: Option<String>,
    /// Address of the database of analytics, to compare its sums with the books
    #[arg(
        long,
        env = "ANALYTICS_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    analytics_db: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn sold(text: &str) -> Result<(String, i64)> {
    let (sku, units) = text.split_once('=').context("SKU=UNITS")?;
    Ok((sku.to_owned(), units.parse()?))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Nothing is left to do about a closed stderr.
            let _ = writeln!(io::stderr(), "auditor: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let addresses = Addresses {
        order: arguments.order_db.clone(),
        inventory: arguments.inventory_db.clone(),
        payment: arguments.payment_db.clone(),
    };
    let books = Books::connect(&addresses).await?;
    let mut expected = expectations(&arguments)?;
    if let Some(seconds) = arguments.wait {
        let rest =
            auditor::wait_for_rest(&books, expected.provider.as_ref(), Duration::from_secs(seconds)).await?;
        if !rest.is_quiet() {
            writeln!(io::stderr(), "not at rest after {seconds} s: {rest:?}")?;
        }
        expected.grace_s = 0.0;
    }
    let report = auditor::audit(&books, &expected).await?;
    show(&report, arguments.json)?;
    Ok(report.holds())
}

fn expectations(arguments: &Arguments) -> Result<Expectations> {
    let acknowledged = match &arguments.acknowledged {
        None => Vec::new(),
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| path.display().to_string())?
            .split_whitespace()
            .map(|line| line.parse::<OrderId>().with_context(|| line.to_owned()))
            .collect::<Result<_>>()?,
    };
    if arguments.acknowledged.is_some() && acknowledged.is_empty() {
        bail!("the list of acknowledged orders is empty");
    }
    Ok(Expectations {
        grace_s: arguments.grace,
        margin_s: arguments.margin,
        idle_s: Expectations::IDLE_S,
        poison: arguments.poison,
        sold: arguments.sold.clone(),
        acknowledged,
        logs: arguments.logs.clone(),
        broker: arguments.amqp.clone().map(|url| Broker {
            url,
            prefix: String::new(),
        }),
        provider: arguments.provider.clone().map(|url| Provider {
            url,
            api_key: arguments.provider_key.clone().unwrap_or_default(),
        }),
        analytics: arguments.analytics_db.clone(),
    })
}

fn show(report: &Report, json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
    } else {
        auditor::print(report, io::stdout().is_terminal(), &mut out)?;
    }
    Ok(())
}
