//! `demo`, `import`, `replay`, `bench`, `audit` and seeding: the shopper, the timekeeper and the auditor run against
//! the started system.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow};
use dev_stack::Stack;
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, Plan};
use roster::{SERVICES, WITH_DATABASE};

use crate::workspace;

/// What follows the command is the tool's own.
#[derive(clap::Args)]
pub(crate) struct Rest {
    /// Handed to the tool; `--help` shows what it knows.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The audit follows: what the demo saw is true of the books too, and of what was counted as sold.
pub(crate) fn demo(rest: &Rest) -> Result<ExitCode> {
    let mut shopper = tool("shopper", "demo", rest)?;
    if !shopper.status().context("shopper")?.success() {
        return Ok(ExitCode::FAILURE);
    }
    if asks_for_help(rest) {
        return Ok(ExitCode::SUCCESS);
    }
    let mut auditor = auditor(&attached()?.plan());
    auditor.args(["--wait", "60"]);
    exec(auditor)
}

fn asks_for_help(rest: &Rest) -> bool {
    rest.arguments.iter().any(|argument| argument == "--help")
}

pub(crate) fn import(rest: &Rest) -> Result<ExitCode> {
    exec(tool("shopper", "import", rest)?)
}

/// The audit follows even a replay with failures, unless the tool was only asked for help.
pub(crate) fn replay(rest: &Rest) -> Result<ExitCode> {
    let plan = attached()?.plan();
    let mut shopper = tool("shopper", "replay", rest)?;
    let acknowledged = acknowledged(&rest.arguments);
    let file = acknowledged
        .clone()
        .unwrap_or_else(|| plan.folder.join("replay-acknowledged.txt"));
    if acknowledged.is_none() {
        shopper.arg("--acknowledged").arg(&file);
    }
    let replayed = shopper.status().context("shopper")?;
    if asks_for_help(rest) {
        return Ok(ExitCode::SUCCESS);
    }
    // Orders still on their way come to their end first.
    let mut auditor = auditor(&plan);
    auditor.args(["--wait", "60"]);
    // Empty when every basket was refused: then there is no promise to check.
    if std::fs::metadata(&file).is_ok_and(|file| file.len() > 0) {
        auditor.arg("--acknowledged").arg(&file);
    }
    let audited = auditor.status().context("auditor")?;
    Ok(if replayed.success() && audited.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The file that the caller wants the accepted orders in.
fn acknowledged(arguments: &[String]) -> Option<PathBuf> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--acknowledged" {
            return words.next().map(PathBuf::from);
        }
        if let Some(file) = word.strip_prefix("--acknowledged=") {
            return Some(PathBuf::from(file));
        }
    }
    None
}

pub(crate) fn audit(rest: &Rest) -> Result<ExitCode> {
    let mut command = auditor(&attached()?.plan());
    command.args(&rest.arguments);
    exec(command)
}

/// The timekeeper asks as a client does, and knows where product is and where the services tell what they count.
pub(crate) fn bench(rest: &Rest) -> Result<ExitCode> {
    let plan = attached()?.plan();
    let mut metrics = Vec::new();
    for service in SERVICES {
        let port = plan.ports_of(service)?.ops;
        metrics.push(format!("{service}=http://127.0.0.1:{port}/metrics"));
    }
    let product = plan.ports_of("product")?.graphql;
    let mut command = Command::new(plan.binaries.join("timekeeper"));
    command
        .env("MERCATO_GRAPHQL_URL", plan.graphql_url())
        .env(
            "MERCATO_PRODUCT_URL",
            format!("http://127.0.0.1:{product}/graphql"),
        )
        .env("GATEWAY_KEY", &plan.gateway_key)
        .env("MERCATO_METRICS", metrics.join(","))
        .env("MERCATO_MANIFESTS", workspace::root().join("router/persisted"))
        .args(&rest.arguments);
    exec(command)
}

/// Fills an empty catalogue through the admin graph.
pub(crate) fn seed(stack: &Stack) -> Result<()> {
    let catalogue = workspace::root().join("subgraphs/product/seed/catalogue.json");
    let mut command = shopper(&stack.plan());
    command.arg("seed").arg(catalogue);
    workspace::must(&mut command)
}

pub(crate) fn attached() -> Result<Stack> {
    let stack = Stack::attach(&workspace::data_folder())?;
    stack.context("nothing runs; start it with: cargo xtask up")
}

fn tool(program: &str, command: &str, rest: &Rest) -> Result<Command> {
    let mut tool = match program {
        "shopper" => shopper(&attached()?.plan()),
        _ => auditor(&attached()?.plan()),
    };
    tool.arg(command).args(&rest.arguments);
    Ok(tool)
}

/// The shopper sees what a customer and an administrator see: public addresses and their sign-in.
fn shopper(plan: &Plan) -> Command {
    let mut command = Command::new(plan.binaries.join("shopper"));
    command
        .env("MERCATO_GRAPHQL_URL", plan.graphql_url())
        .env("MERCATO_STAFF_URL", plan.staff_url())
        .env("MERCATO_WS_URL", plan.websocket_url("order"))
        .env("MERCATO_PSP_URL", plan.psp_url())
        .env("MERCATO_ADMIN_EMAIL", ADMIN_EMAIL)
        .env("MERCATO_ADMIN_PASSWORD", ADMIN_PASSWORD);
    // Both run only where they were built.
    if plan.binaries.join("notification").is_file() {
        command
            .env("MERCATO_NOTICES_URL", plan.websocket_url("notification"))
            .env("MERCATO_MAIL_URL", plan.mail_url());
    }
    command
}

/// The auditor sees the books: every database, the broker's queues, the logs.
fn auditor(plan: &Plan) -> Command {
    let mut command = Command::new(plan.binaries.join("auditor"));
    for service in WITH_DATABASE {
        command.env(
            format!("{}_DATABASE_URL", service.to_uppercase()),
            plan.database_url(service),
        );
    }
    command
        .env("AMQP_URL", &plan.stores.amqp)
        .env("MERCATO_PSP_URL", plan.psp_url())
        .env("MERCATO_PSP_API_KEY", &plan.psp_api_key)
        .arg("--logs")
        .arg(plan.folder.join("logs"));
    command
}

/// Addresses of all databases, as the operator reads them.
pub(crate) fn databases(address: impl Fn(&str) -> String) -> String {
    WITH_DATABASE.map(address).join(",")
}

/// Becomes the tool, so that its exit code and Ctrl-C are its own.
pub(crate) fn exec(mut command: Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(anyhow!(error).context(workspace::shown(&command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_file_a_caller_named() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(acknowledged(&words("a.ndjson --limit 3")), None);
        assert_eq!(
            acknowledged(&words("a --acknowledged b --limit 3")),
            Some("b".into())
        );
        assert_eq!(acknowledged(&words("a --acknowledged=b")), Some("b".into()));
    }
}
