//! `cargo xtask up`: from a checkout to a running system.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, EDGE, Page, ROUTER, RouterFiles, STAFF_ROUTER};
use dev_stack::{Lifetime, Settings, Stack, StopRequests, hive, install, router};

use crate::show::{Steps, table};
use crate::{sdl, tools, web, workspace};

const PAGE_PORT: u16 = 8080;
const ROUTER_PORT: u16 = 4000;
const WEBSOCKET_PORT: u16 = 4001;
const STAFF_ROUTER_PORT: u16 = 4002;

/// Names the row about what only a seeded system has.
const COUPON: &str = "coupon to try";

/// A process that ends this often within [`CRASH_WINDOW`] is left alone.
const MAX_CRASHES: usize = 5;
const CRASH_WINDOW: Duration = Duration::from_mins(1);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Return once everything is ready; stop it with `cargo xtask down`.
    #[arg(long)]
    detach: bool,
    /// Build and run optimised programs.
    #[arg(long)]
    release: bool,
    /// Leave the catalogue as it is.
    #[arg(long)]
    no_seed: bool,
    /// Port of the shop's page, with the graph on the same origin.
    #[arg(long, env = "MERCATO_PAGE_PORT", default_value_t = PAGE_PORT)]
    page_port: u16,
    /// Leave the shop's page out.
    #[arg(long)]
    no_page: bool,
    /// Port of the public graph.
    #[arg(long, env = "MERCATO_ROUTER_PORT", default_value_t = ROUTER_PORT)]
    router_port: u16,
    /// Port of the staff's graph.
    #[arg(long, env = "MERCATO_STAFF_ROUTER_PORT", default_value_t = STAFF_ROUTER_PORT)]
    staff_router_port: u16,
    /// Port of the subscriptions' WebSocket.
    #[arg(long, env = "MERCATO_WEBSOCKET_PORT", default_value_t = WEBSOCKET_PORT)]
    websocket_port: u16,
    /// How many processes of the order service run.
    #[arg(long, default_value_t = 1)]
    order_replicas: u8,
    /// Who serves the public graph: `hive` federates subscriptions too, and is built the first time (docs/hive.md).
    #[arg(long, value_enum, default_value_t = PublicRouter::Apollo)]
    edge: PublicRouter,
}

/// Whose router serves the public graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PublicRouter {
    /// Apollo Router; subscriptions are order's own.
    Apollo,
    /// Hive Router; events may carry fields of every service.
    Hive,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let begun = Instant::now();
    let steps = Steps::new();
    // Before anything is started: Ctrl-C then stops what has been.
    let stop = StopRequests::listen();
    install::ensure_servers(&steps)?;
    let mut routers = workspace::router_files(router::ensure(&steps)?);
    if arguments.edge == PublicRouter::Hive {
        routers = routers.with_hive(hive::ensure(&steps)?, &workspace::root().join("router"));
    }
    workspace::build(arguments.release)?;
    sdl::ensure_supergraph()?;
    let page = if arguments.no_page {
        None
    } else {
        web::ensure(&steps)?
    };
    let settings = settings(arguments, routers, page)?;
    if stop.count() > 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let stack = Stack::start(&settings, &steps)?;
    if !arguments.no_seed {
        seed(&stack, &steps)?;
    }
    print_addresses(&stack, arguments, begun.elapsed())?;
    if !arguments.detach {
        watch(&stack, stop);
        stack.stop_all(&steps);
        println!("Stopped. The data stays; `cargo xtask reset` deletes it.");
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(
    arguments: &Arguments,
    routers: RouterFiles,
    page: Option<std::path::PathBuf>,
) -> Result<Settings> {
    Ok(Settings {
        folder: workspace::data_folder(),
        binaries: workspace::binaries(arguments.release)?,
        router: Some(routers),
        router_port: Some(arguments.router_port),
        staff_router_port: Some(arguments.staff_router_port),
        websocket_port: Some(arguments.websocket_port),
        page: page.map(|folder| Page {
            folder,
            port: Some(arguments.page_port),
        }),
        audited: true,
        order_replicas: arguments.order_replicas,
        lifetime: if arguments.detach {
            Lifetime::Detached
        } else {
            Lifetime::Bound
        },
        durable: true,
        reroute: None,
        extra: std::collections::BTreeMap::new(),
    })
}

/// Fills the catalogue. When that fails the system is stopped, detached or not.
fn seed(stack: &Stack, steps: &Steps) -> Result<()> {
    let outcome = tools::seed(stack).context("the catalogue could not be seeded");
    if outcome.is_err() {
        stack.stop_all(steps);
    }
    outcome
}

fn print_addresses(stack: &Stack, arguments: &Arguments, took: Duration) -> Result<()> {
    let plan = stack.plan();
    let page_port = plan
        .ports_of(EDGE)
        .map_or(arguments.page_port, |ports| ports.public);
    for (what, wanted, got) in [
        ("page", arguments.page_port, page_port),
        ("router", arguments.router_port, plan.ports_of(ROUTER)?.graphql),
        (
            "staff's router",
            arguments.staff_router_port,
            plan.ports_of(STAFF_ROUTER)?.graphql,
        ),
        (
            "WebSocket",
            arguments.websocket_port,
            plan.ports_of("order")?.public,
        ),
    ] {
        if wanted != got {
            println!("Port {wanted} is taken: the {what} is on {got}.");
        }
    }
    let no_page = || "not served: see above".to_owned();
    let control_room = |url: String| format!("{url}/ops (sign in as the administrator)");
    let rows = [
        ("shop", plan.page_url().unwrap_or_else(no_page)),
        ("control room", plan.page_url().map_or_else(no_page, control_room)),
        ("graph", plan.graphql_url()),
        ("staff's graph", plan.staff_url()),
        (
            "subscriptions",
            plan.federated_websocket_url()
                .unwrap_or_else(|| plan.websocket_url("order")),
        ),
        ("payment sandbox", plan.psp_url()),
        ("mails", plan.mail_url()),
        ("administrator", format!("{ADMIN_EMAIL} / {ADMIN_PASSWORD}")),
        (
            "shoppers",
            "register your own, or run: cargo xtask demo".to_owned(),
        ),
        (
            COUPON,
            "WELCOME10 takes ten percent off, once for each buyer".to_owned(),
        ),
        ("look", "cargo xtask status | logs NAME".to_owned()),
        ("data", plan.folder.display().to_string()),
        (
            "stop",
            if arguments.detach {
                "cargo xtask down"
            } else {
                "Ctrl-C, or cargo xtask down"
            }
            .to_owned(),
        ),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .filter(|(name, _)| *name != COUPON || !arguments.no_seed)
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    println!(
        "\nMercato is ready after {:.1} s\n\n{}",
        took.as_secs_f32(),
        table(&rows)
    );
    Ok(())
}

/// Until somebody asks to stop: starts again what ended by itself.
fn watch(stack: &Stack, stop: StopRequests) {
    let mut crashes: Vec<(String, Instant)> = Vec::new();
    let mut given_up: Vec<String> = Vec::new();
    while stop.count() == 0 {
        thread::sleep(Duration::from_millis(200));
        for (name, status) in stack.ended() {
            if given_up.contains(&name) || stop.count() > 0 {
                continue;
            }
            crashes.retain(|(_, at)| at.elapsed() < CRASH_WINDOW);
            crashes.push((name.clone(), Instant::now()));
            let often = crashes.iter().filter(|(crashed, _)| *crashed == name).count();
            if often > MAX_CRASHES {
                println!("{name} ended with {status}, the {often}th time in a minute: not started again");
                given_up.push(name);
                continue;
            }
            println!("{name} ended with {status}: starting it again");
            if let Err(error) = stack.start_again(&name) {
                println!("{error:#}");
            }
        }
    }
}
