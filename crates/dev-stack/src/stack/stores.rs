//! The stores of a running system: crashed like any process, and started again on their ports with their data.

use anyhow::{Context, Result, bail};

use super::plan::Plan;
use crate::process::{Lifetime, Process};
use crate::servers::{Options, Postgres, RabbitMq, Redis, reachable_folder};

/// Names of the processes that hold data, in the order they are started.
pub(super) const STORES: [&str; 4] = ["postgres", "redis", "epmd", "rabbitmq"];

/// Starts a store that has ended and waits until it answers. What it had committed is there again.
pub(super) fn start_again(plan: &Plan, name: &str, lifetime: Lifetime) -> Result<Process> {
    let folder = reachable_folder(&plan.folder)?;
    let options = |url: &str| {
        Ok::<_, anyhow::Error>(Options {
            lifetime,
            durable: plan.durable,
            port: Some(port_of(url)?),
        })
    };
    match name {
        "postgres" => Ok(Postgres::start_with(&folder, options(&plan.stores.postgres)?)?.into_process()),
        "redis" => Ok(Redis::start_with(&folder, options(&plan.stores.redis)?)?.into_process()),
        "rabbitmq" => RabbitMq::start_again(&folder, options(&plan.stores.amqp)?),
        other => bail!("{other} is not started again by itself"),
    }
}

/// The port that a store will bind.
pub(super) fn listens(plan: &Plan, name: &str) -> Result<Vec<u16>> {
    Ok(match name {
        "postgres" => vec![port_of(&plan.stores.postgres)?],
        "redis" => vec![port_of(&plan.stores.redis)?],
        "rabbitmq" => vec![port_of(&plan.stores.amqp)?],
        _ => Vec::new(),
    })
}

fn port_of(url: &str) -> Result<u16> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    port.and_then(|port| port.parse().ok())
        .context("the store's address has no port")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_port_of_each_store() {
        assert_eq!(port_of("postgres://u:p@127.0.0.1:18001").unwrap(), 18_001);
        assert_eq!(port_of("redis://127.0.0.1:18002").unwrap(), 18_002);
        assert_eq!(port_of("amqp://guest:guest@127.0.0.1:18003/%2f").unwrap(), 18_003);
        assert!(port_of("redis://localhost").is_err());
    }
}
