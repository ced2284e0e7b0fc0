//! `cargo xtask status`.

use std::process::ExitCode;

use anyhow::Result;
use dev_stack::Stack;
use dev_stack::stack::{AUDITOR, EDGE, Entry, MAIL, Plan, ROUTERS};
use serde_json::{Map, Value, json};

use crate::show::table;
use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let stack = Stack::attach(&workspace::data_folder())?;
    let processes = match &stack {
        Some(stack) => stack
            .state()
            .processes
            .iter()
            .map(|entry| describe(stack, entry))
            .collect(),
        None => Vec::new(),
    };
    let all_ready = !processes.is_empty() && processes.iter().all(|process| process["ready"] == true);
    if arguments.json {
        let text = json!({ "ready": all_ready, "public": public(stack.as_ref()), "processes": processes });
        println!("{}", serde_json::to_string_pretty(&text)?);
    } else if processes.is_empty() {
        println!("Nothing runs. Start it with: cargo xtask up");
    } else {
        print!("{}", table(&rows(&processes)));
    }
    Ok(if all_ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn public(stack: Option<&Stack>) -> Value {
    let Some(stack) = stack else {
        return Value::Null;
    };
    let plan = stack.plan();
    json!({
        "page": plan.page_url(),
        "graphql": plan.graphql_url(),
        "staff": plan.staff_url(),
        "websocket": plan.websocket_url("order"),
        "notifications": plan.websocket_url("notification"),
        "psp_sandbox": plan.psp_url(),
        "mails": plan.mail_url(),
    })
}

fn describe(stack: &Stack, entry: &Entry) -> Value {
    let plan = stack.plan();
    let running = entry.id.is_running();
    // Stores have no readiness of their own: `up` waited for them, and services report losing them.
    let (ready, says) = match stack.readiness(&entry.name) {
        _ if !running => (false, absence(stack, &entry.name)),
        Err(_) => (true, String::new()),
        Ok(None) => (false, "no answer".to_owned()),
        Ok(Some(answer)) => (answer.status == 200, answer.body),
    };
    json!({
        "name": entry.name,
        "pid": entry.id.pid,
        "running": running,
        "ready": ready,
        "says": if ready { Value::Null } else { Value::String(says) },
        "addresses": addresses(&plan, &entry.name),
        "log": entry.log,
    })
}

/// Why a process doesn't run, and what brings it back.
fn absence(stack: &Stack, name: &str) -> String {
    if stack.is_held(name) {
        return "not running: the control room keeps it away, and lets it go".to_owned();
    }
    let watched = stack
        .state()
        .supervisor
        .is_some_and(dev_stack::ProcessId::is_running);
    if watched {
        "not running: `up` starts it again, or says in its terminal why not".to_owned()
    } else {
        format!("not running; start it with: cargo xtask restart {name}")
    }
}

fn addresses(plan: &Plan, name: &str) -> Value {
    let mut all = Map::new();
    let mut add = |what: &str, port: u16| {
        if port != 0 {
            all.insert(what.to_owned(), format!("127.0.0.1:{port}").into());
        }
    };
    let store = match name {
        "postgres" => Some(&plan.stores.postgres),
        "redis" => Some(&plan.stores.redis),
        "rabbitmq" => Some(&plan.stores.amqp),
        _ => None,
    };
    if let Some(port) = store.and_then(|url| port_of(url)) {
        add("store", port);
    }
    if let Ok(ports) = plan.ports_of(name) {
        if name == AUDITOR {
            add("ops", ports.ops);
            return Value::Object(all);
        }
        add("graphql", ports.graphql);
        add("ops", ports.ops);
        if ROUTERS.contains(&name) {
            add("metrics", ports.public);
        } else if name == EDGE {
            add("page", ports.public);
        } else if name == MAIL {
            add("smtp", ports.public);
        } else if name != "psp-sandbox" {
            add("internal", ports.internal);
            // A replica is called `order-2`.
            let program = name.split('-').next().unwrap_or(name);
            if roster::find(program).is_some_and(|service| service.public.is_some()) {
                add("public", ports.public);
            }
        }
    }
    Value::Object(all)
}

fn port_of(url: &str) -> Option<u16> {
    url.rsplit_once(':')?.1.split('/').next()?.parse().ok()
}

fn rows(processes: &[Value]) -> Vec<Vec<String>> {
    let head = ["name", "pid", "ready", "addresses"].map(str::to_owned).to_vec();
    let row = |process: &Value| {
        let addresses: Vec<String> = process["addresses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(what, address)| format!("{what} {}", address.as_str().unwrap_or_default()))
            .collect();
        let ready = if process["ready"] == true { "yes" } else { "no" };
        let mut cells = vec![
            process["name"].as_str().unwrap_or_default().to_owned(),
            process["pid"].to_string(),
            ready.to_owned(),
            addresses.join(", "),
        ];
        if let Some(says) = process["says"].as_str() {
            cells.push(says.to_owned());
        }
        cells
    };
    std::iter::once(head).chain(processes.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_shows_its_port_and_not_its_password() {
        assert_eq!(port_of("postgres://mercato:secret@127.0.0.1:21000"), Some(21_000));
        assert_eq!(port_of("amqp://guest:guest@127.0.0.1:21001/%2f"), Some(21_001));
    }
}
