//! The operator's command line.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use contracts::EventId;
use operator::case::{self, Name};
use operator::{events, parking, remedy, sales};
use service_kit::Secret;
use shopper::target::Target;
use sqlx::PgPool;
use tracing_subscriber::EnvFilter;

/// Looks at stuck orders and given-up events, and gets them out.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

/// Where the stores are.
#[derive(Args)]
struct Places {
    /// Address of order's database.
    #[arg(long, global = true, env = "ORDER_DATABASE_URL", hide_env_values = true)]
    order_db: Option<String>,
    /// Address of the database with a service's inbox; order's is known.
    #[arg(
        long = "inbox",
        global = true,
        env = "MERCATO_INBOXES",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SERVICE=URL"
    )]
    inboxes: Vec<String>,
    /// Address of the broker.
    #[arg(long, global = true, env = "AMQP_URL", hide_env_values = true)]
    amqp: Option<String>,
}

/// How often one asks whether something has ended.
const PAUSE: Duration = Duration::from_secs(1);
/// Whose database is told by a variable of its own.
const ORDER: &str = "order";

#[derive(Subcommand)]
enum Command {
    /// One order: look at it, make its call now, give it up.
    #[command(subcommand)]
    Saga(Saga),
    /// Events that were given up.
    #[command(subcommand)]
    Events(Events),
    /// What the shop sold.
    #[command(subcommand)]
    Analytics(Analytics),
}

#[derive(Subcommand)]
enum Saga {
    /// Everything order's database knows of an order.
    Show { order: Name },
    /// Make the awaited call now, after what it calls was repaired.
    Retry { order: Name },
    /// Give the order up; refused once its money is taken.
    Cancel { order: Name },
}

#[derive(Subcommand)]
enum Analytics {
    /// Make all sums again from what was heard, and wait for the end.
    Rebuild {
        /// Why, for the record.
        #[arg(long, default_value = "asked for by an operator")]
        reason: String,
    },
}

#[derive(Subcommand)]
enum Events {
    /// Events that inboxes gave up: a service's, or everybody's.
    Dead {
        #[arg(long)]
        service: Option<String>,
    },
    /// Give dead events of a service a fresh start: the named ones, or all.
    Replay {
        #[arg(long)]
        service: String,
        /// An event's id; may be repeated.
        #[arg(long)]
        id: Vec<EventId>,
    },
    /// What was delivered and is no event; without a queue: how many, per queue.
    Parked {
        queue: Option<String>,
        /// Queues to count.
        #[arg(long, env = "MERCATO_QUEUES", value_delimiter = ',', hide = true)]
        queues: Vec<String>,
    },
    /// After a broker was lost or a backup restored: send every event again that the outboxes still have. Consumers know
    /// what they have had.
    Republish {
        /// Addresses of the services' databases.
        #[arg(
            long = "database",
            env = "MERCATO_DATABASES",
            hide_env_values = true,
            value_delimiter = ',',
            required = true
        )]
        databases: Vec<String>,
    },
    /// Send what is parked now to its queue again, once.
    ReplayParked { queue: String },
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let Cli {
        places,
        target,
        command,
    } = Cli::parse();
    let done = match command {
        Command::Saga(command) => saga(&places, &target, command).await,
        Command::Events(command) => on_events(&places, command).await,
        Command::Analytics(Analytics::Rebuild { reason }) => {
            let rebuilt = sales::rebuild(&target, &reason, PAUSE).await;
            rebuilt.map(|rebuilt| rebuilt.to_string())
        }
    };
    match done {
        // Nobody is left to tell when standard output is closed.
        Ok(text) => {
            let _ = writeln!(io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn saga(places: &Places, target: &Target, command: Saga) -> Result<String> {
    let pool = places.database().await?;
    Ok(match command {
        Saga::Show { order } => case::read(&pool, order).await?.to_string(),
        Saga::Retry { order } => remedy::retry(target, case::find(&pool, order).await?)
            .await?
            .to_string(),
        Saga::Cancel { order } => remedy::cancel(target, case::find(&pool, order).await?)
            .await?
            .to_string(),
    })
}

async fn on_events(places: &Places, command: Events) -> Result<String> {
    match command {
        Events::Dead { service } => {
            let mut text = String::new();
            for (name, url) in places.inboxes(service.as_deref())? {
                text.push_str(&events::show_dead(&name, &connect(&name, &url).await?).await?);
            }
            Ok(text)
        }
        Events::Replay { service, id } => {
            let mut replayed = 0;
            for (name, url) in places.inboxes(Some(&service))? {
                replayed += events::replay(&connect(&name, &url).await?, &id).await?;
            }
            Ok(format!("{replayed} events of {service} get a fresh start"))
        }
        Events::Parked {
            queue: Some(queue), ..
        } => parking::show(&places.bus()?, &queue).await,
        Events::Parked { queues, .. } => parking::counts(&places.bus()?, &queues).await,
        Events::Republish { databases } => events::republish(&databases).await,
        Events::ReplayParked { queue } => {
            let replayed = parking::replay(&places.bus()?, &queue).await?;
            Ok(format!("{replayed} messages were sent to {queue} again"))
        }
    }
}

async fn connect(service: &str, url: &str) -> Result<PgPool> {
    // Without the address, which has a password in it.
    PgPool::connect(url)
        .await
        .with_context(|| format!("the database of {service}"))
}

impl Places {
    async fn database(&self) -> Result<PgPool> {
        let url = self
            .order_db
            .as_deref()
            .context("give order's database: --order-db")?;
        connect(ORDER, url).await
    }

    /// Services with an inbox, with the addresses of their databases: all that are known, or the named one.
    fn inboxes(&self, only: Option<&str>) -> Result<Vec<(String, String)>> {
        let mut known = Vec::new();
        for text in &self.inboxes {
            // Without the text, which has a password in it.
            let (name, url) = text.split_once('=').context("--inbox is not SERVICE=URL")?;
            known.push((name.to_owned(), url.to_owned()));
        }
        if let Some(url) = &self.order_db
            && !known.iter().any(|(name, _)| name == ORDER)
        {
            known.insert(0, (ORDER.to_owned(), url.clone()));
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        ensure!(
            !names.is_empty(),
            "give a service's database: --inbox SERVICE=URL"
        );
        if let Some(only) = only {
            ensure!(
                names.contains(&only),
                "no inbox of {only} is known, but of: {}; give it by --inbox {only}=URL",
                names.join(", ")
            );
            known.retain(|(name, _)| name == only);
        }
        Ok(known)
    }

    fn bus(&self) -> Result<event_bus::Bus> {
        let url = self.amqp.as_deref().context("give the broker: --amqp")?;
        Ok(parking::bus(&Secret::new(url), ""))
    }
}
