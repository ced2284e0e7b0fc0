//! The operator's command line.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use contracts::EventId;
use operator::case::{self, Name};
use operator::{events, parking, remedy};
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
    /// Address of the broker.
    #[arg(long, global = true, env = "AMQP_URL", hide_env_values = true)]
    amqp: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// One order: look at it, make its call now, give it up.
    #[command(subcommand)]
    Saga(Saga),
    /// Events that were given up.
    #[command(subcommand)]
    Events(Events),
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

/// The only service with an inbox so far.
const ORDER: &str = "order";

#[derive(Subcommand)]
enum Events {
    /// Events that a service's inbox gave up.
    Dead {
        #[arg(long, default_value = ORDER, value_parser = [ORDER])]
        service: String,
    },
    /// Give dead events a fresh start: the named ones, or all.
    Replay {
        #[arg(long, value_parser = [ORDER])]
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
        Events::Dead { service } => events::show_dead(&service, &places.database().await?).await,
        Events::Replay { id, .. } => {
            let replayed = events::replay(&places.database().await?, &id).await?;
            Ok(format!("{replayed} events get a fresh start"))
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

impl Places {
    async fn database(&self) -> Result<PgPool> {
        let url = self
            .order_db
            .as_deref()
            .context("give order's database: --order-db")?;
        PgPool::connect(url).await.context("order's database")
    }

    fn bus(&self) -> Result<event_bus::Bus> {
        let url = self.amqp.as_deref().context("give the broker: --amqp")?;
        Ok(parking::bus(&Secret::new(url), ""))
    }
}
