//! `cargo xtask saga` and `cargo xtask analytics`: the operator against the started system.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use anyhow::Result;
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, Plan};
use roster::QUEUES;

use crate::tools;

/// What follows the command is the operator's own.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Handed to the operator; `--help` shows what it knows.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    run_as("saga", arguments)
}

/// Runs another of the operator's commands.
pub(crate) fn run_as(what: &str, arguments: &Arguments) -> Result<ExitCode> {
    tools::exec(operator(&tools::attached()?.plan(), what, arguments))
}

/// The operator sees order's database, the broker, and the graph as an administrator.
pub(crate) fn operator(plan: &Plan, what: &str, arguments: &Arguments) -> Command {
    let mut command = Command::new(plan.binaries.join("operator"));
    command
        .env("ORDER_DATABASE_URL", plan.database_url("order"))
        .env("AMQP_URL", &plan.stores.amqp)
        .env("MERCATO_QUEUES", QUEUES.join(","))
        .env("MERCATO_INBOXES", inboxes(plan))
        .env(
            "MERCATO_DATABASES",
            tools::databases(|service| plan.database_url(service)),
        )
        .env("MERCATO_STAFF_URL", plan.staff_url())
        .env("MERCATO_ADMIN_EMAIL", ADMIN_EMAIL)
        .env("MERCATO_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .arg(what)
        .args(&arguments.words);
    command
}

/// Whoever consumes a queue has an inbox.
fn inboxes(plan: &Plan) -> String {
    let services: BTreeSet<&str> = QUEUES
        .iter()
        .filter_map(|queue| Some(queue.split_once('.')?.0))
        .collect();
    let named = |service: &&str| format!("{service}={}", plan.database_url(service));
    services.iter().map(named).collect::<Vec<_>>().join(",")
}
