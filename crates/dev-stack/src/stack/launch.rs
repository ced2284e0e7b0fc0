//! Brings a system up: stores side by side, then keys and databases, then every service at once.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use roster::{SERVICES, WITH_DATABASE};

use super::plan::{EDGE, Plan, ROUTERS, Stores, is_optional, program_of};
use super::{Progress, Settings, Stack, environment, hold, links};
use crate::http;
use crate::keys::KeyFolders;
use crate::process::{Lifetime, Process, Spec};
use crate::servers::{Options, Postgres, RabbitMq, Redis, reachable_folder};

const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const READY_PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn launch(settings: &Settings, progress: &dyn Progress) -> Result<Stack> {
    check_programs(settings)?;
    std::fs::create_dir_all(&settings.folder).with_context(|| settings.folder.display().to_string())?;
    hold::clear(&settings.folder)?;
    let (stores, processes) = start_stores(settings, progress)?;
    let mut plan = Plan::new(settings, stores)?;
    if let Some(choose) = &settings.reroute {
        links::reroute(&mut plan, &members(settings), choose)?;
    }
    let stack = Stack::new(plan, settings.lifetime);
    for process in processes {
        stack.adopt(process)?;
    }
    let outcome = start_members(&stack, settings, progress);
    if outcome.is_err() {
        // Detached processes would stay behind otherwise.
        stack.stop_all(&());
    }
    outcome.map(|()| stack)
}

fn check_programs(settings: &Settings) -> Result<()> {
    let mut members = settings.members();
    members.extend(settings.page.is_some().then(|| EDGE.to_owned()));
    let missing: Vec<&str> = members
        .iter()
        .map(|name| program_of(name))
        .filter(|program| !is_optional(program) && !settings.binaries.join(program).is_file())
        .collect();
    if !missing.is_empty() {
        bail!(
            "not built: {} (cargo build --workspace --bins)",
            missing.join(", ")
        );
    }
    if let Some(router) = &settings.router {
        let files = [
            &router.program,
            &router.config,
            &router.supergraph,
            &router.public_supergraph,
        ];
        let hive = router.hive.iter().flat_map(|hive| [&hive.program, &hive.config]);
        for file in files.into_iter().chain(hive) {
            if !file.is_file() {
                bail!("the router needs {}, which does not exist", file.display());
            }
        }
    }
    Ok(())
}

fn start_stores(settings: &Settings, progress: &dyn Progress) -> Result<(Stores, Vec<Process>)> {
    let folder = reachable_folder(&settings.folder)?;
    let folder = folder.as_path();
    let options = Options {
        lifetime: settings.lifetime,
        durable: settings.durable,
        port: None,
    };
    let (postgres, redis, rabbitmq) = thread::scope(|scope| {
        let postgres = scope.spawn(|| {
            told(progress, "PostgreSQL", || {
                let server = Postgres::start_with(folder, options)?;
                let names: Vec<String> = WITH_DATABASE.iter().map(|name| format!("{name}_db")).collect();
                server.create_databases(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
                Ok(server)
            })
        });
        let redis = scope.spawn(|| told(progress, "Redis", || Redis::start_with(folder, options)));
        let rabbitmq = told(progress, "RabbitMQ", || {
            let server = RabbitMq::start_with(folder, options)?;
            let accounts = server.apply_definitions()?;
            let tool = server.write_tool(folder)?;
            Ok((server, accounts, tool))
        });
        (joined(postgres), joined(redis), rabbitmq)
    });
    let outcome = collect(postgres, redis, rabbitmq);
    outcome.map_err(|(error, processes)| {
        for process in processes {
            process.stop(Duration::from_secs(10));
        }
        error
    })
}

type Started = std::result::Result<(Stores, Vec<Process>), (anyhow::Error, Vec<Process>)>;

/// All three, or the first error and what has to be stopped.
fn collect(
    postgres: Result<Postgres>,
    redis: Result<Redis>,
    rabbitmq: Result<(RabbitMq, BTreeMap<String, String>, PathBuf)>,
) -> Started {
    let mut processes = Vec::new();
    let mut failure = None;
    let mut stores = Stores {
        postgres: String::new(),
        redis: String::new(),
        amqp: String::new(),
        accounts: BTreeMap::new(),
        rabbitmqctl: PathBuf::new(),
    };
    match postgres {
        Ok(server) => {
            stores.postgres = server.server_url();
            processes.push(server.into_process());
        }
        Err(error) => failure = Some(error),
    }
    match redis {
        Ok(server) => {
            stores.redis = server.url();
            processes.push(server.into_process());
        }
        Err(error) => failure = failure.or(Some(error)),
    }
    match rabbitmq {
        Ok((server, accounts, tool)) => {
            stores.amqp = server.url();
            stores.accounts = accounts;
            stores.rabbitmqctl = tool;
            processes.extend(server.into_processes());
        }
        Err(error) => failure = failure.or(Some(error)),
    }
    match failure {
        None => Ok((stores, processes)),
        Some(error) => Err((error, processes)),
    }
}

fn joined<T>(handle: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    handle.join().map_err(|_| anyhow!("a starting thread panicked"))?
}

fn told<T>(progress: &dyn Progress, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    progress.begin(what);
    let result = work().with_context(|| format!("{what} does not start"));
    progress.end(what);
    result
}

/// All processes but the stores, in the order they are started.
fn members(settings: &Settings) -> Vec<String> {
    let mut names = settings.members();
    names.retain(|name| !is_optional(name) || settings.binaries.join(name).is_file());
    if settings.router.is_some() {
        names.extend(ROUTERS.map(str::to_owned));
    }
    if settings.page.is_some() {
        names.push(EDGE.to_owned());
    }
    names
}

fn start_members(stack: &Stack, settings: &Settings, progress: &dyn Progress) -> Result<()> {
    let plan = stack.plan();
    KeyFolders::new(&plan.folder).ensure(&SERVICES)?;
    let names = members(settings);
    for name in &names {
        stack.adopt(start_member(&plan, name, settings.lifetime)?)?;
    }
    for name in &names {
        told(progress, name, || {
            let children = stack.lock_children();
            let process = children
                .iter()
                .find(|child| child.name() == name)
                .context("it was not started")?;
            await_member(&plan, process)
        })?;
    }
    Ok(())
}

/// Starts a service, the sandbox or a router; does not wait.
pub(super) fn start_member(plan: &Plan, name: &str, lifetime: Lifetime) -> Result<Process> {
    let is_router = ROUTERS.contains(&name);
    let program = match (plan.hive(name), &plan.router) {
        (Some(hive), _) => hive.program.clone(),
        (None, Some(router)) if is_router => router.program.clone(),
        _ => plan.binaries.join(program_of(name)),
    };
    let mut spec = Spec::new(name, &program, plan.log(name));
    spec.command.env_clear().current_dir(&plan.folder);
    for variable in environment::PASSED_ON {
        if let Some(value) = std::env::var_os(variable) {
            spec.command.env(variable, value);
        }
    }
    spec.command.envs(environment::of(plan, name)?);
    if is_router {
        name_collector(&mut spec.command);
    }
    spec.lifetime = lifetime;
    spec.start()
}

/// The router refuses to start with the variable by which the services know the collector, and has its own.
fn name_collector(router: &mut Command) {
    let endpoint = router
        .get_envs()
        .find(|(variable, _)| *variable == COLLECTOR)
        .and_then(|(_, value)| value.map(OsStr::to_owned));
    if let Some(endpoint) = endpoint {
        router
            .env_remove(COLLECTOR)
            .env("ROUTER_OTLP_ENDPOINT", endpoint)
            .env("ROUTER_TRACES", "true");
    }
}

pub(super) fn await_member(plan: &Plan, process: &Process) -> Result<()> {
    let (address, path) = plan.readiness(process.name())?;
    let mut said = String::new();
    process
        .await_ready(READY_PATIENCE, || match http::get(address, path) {
            Some(answer) if answer.status == 200 => true,
            Some(answer) => {
                said = answer.body;
                false
            }
            None => false,
        })
        .with_context(|| format!("{} says about its readiness: {said}", process.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_missing_is_left_out() {
        let binaries = tempfile::tempdir().unwrap();
        let settings = Settings::for_tests(binaries.path().join("data"), binaries.path().to_path_buf());
        let runs = |name: &str| members(&settings).iter().any(|member| member == name);
        assert!(runs("order") && !runs("review"));
        let refusal = check_programs(&settings).unwrap_err().to_string();
        assert!(
            refusal.contains("order") && !refusal.contains("review"),
            "{refusal}"
        );
        std::fs::write(binaries.path().join("review"), "").unwrap();
        assert!(runs("review"));
    }
}
