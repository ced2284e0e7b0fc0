//! A service's life from start to exit.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::serve::Bound;
use crate::{ConfigError, Env, Host, Listener, http, ops, telemetry};

/// EX_CONFIG of sysexits: retrying without a change is useless.
const EXIT_CONFIG: u8 = 78;
/// Workers get this long to finish what they hold.
const TASK_GRACE: Duration = Duration::from_secs(20);

/// Runs a service: telemetry, configuration (all faults at once, exit 78), start, ready, serve. On SIGTERM or SIGINT
/// it turns readiness off, cancels the host's shutdown token, drains HTTP, waits for the host's tasks, and exits 0.
pub async fn run<C, F, S, Fut>(service: &'static str, from_env: F, start: S) -> ExitCode
where
    F: FnOnce(&mut Env) -> Result<C, ConfigError>,
    S: FnOnce(C, Host) -> Fut,
    Fut: Future<Output = anyhow::Result<Vec<Listener>>>,
{
    let born = Instant::now();
    http::install_crypto();
    let mut env = Env::process();
    let telemetry = telemetry::init(service, telemetry::Settings::from_env(&mut env));
    let ops = env.required::<SocketAddr>("OPS_ADDR");
    let code = match (from_env(&mut env), ops) {
        (Ok(config), Some(ops)) => live(config, Host::new(service), start, ops, born).await,
        (Err(error), _) => {
            tracing::error!(faults = ?error.faults, "refusing to start: bad configuration");
            ExitCode::from(EXIT_CONFIG)
        }
        // `finish` reports a missing OPS_ADDR; a configuration that never calls it must not slip through.
        (Ok(_), None) => {
            tracing::error!("refusing to start: OPS_ADDR is missing or not an address");
            ExitCode::from(EXIT_CONFIG)
        }
    };
    telemetry.flush().await;
    code
}

async fn live<C, S, Fut>(config: C, host: Host, start: S, ops: SocketAddr, born: Instant) -> ExitCode
where
    S: FnOnce(C, Host) -> Fut,
    Fut: Future<Output = anyhow::Result<Vec<Listener>>>,
{
    let ops = Listener::new("ops", ops, ops::router(host.readiness.clone()));
    let started = async {
        let mut signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let ops_stop = CancellationToken::new();
        let ops = tokio::spawn(Bound::bind(ops).await?.serve(ops_stop.clone()));
        // A stop that comes while stores are still being waited for must not be ignored.
        let listeners = tokio::select! {
            listeners = start(config, host.clone()) => listeners?,
            _ = signals.0.recv() => anyhow::bail!("stopped while starting"),
            _ = signals.1.recv() => anyhow::bail!("stopped while starting"),
        };
        let mut bound = Vec::new();
        for listener in listeners {
            bound.push(Bound::bind(listener).await?);
        }
        anyhow::Ok((signals, bound, ops, ops_stop))
    };
    let ((mut terminate, mut interrupt), bound, ops, ops_stop) = match started.await {
        Ok(started) => started,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "start failed");
            return ExitCode::FAILURE;
        }
    };
    let servers = tokio_util::task::TaskTracker::new();
    for bound in bound {
        servers.spawn(bound.serve(host.shutdown.clone()));
    }
    host.readiness.serving();
    tracing::info!(
        startup_ms = u64::try_from(born.elapsed().as_millis()).unwrap_or(u64::MAX),
        "serving"
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = host.shutdown.cancelled() => {}
    }
    drain(&host, servers).await;
    ops_stop.cancel();
    drop(ops.await);
    ExitCode::SUCCESS
}

async fn drain(host: &Host, servers: tokio_util::task::TaskTracker) {
    tracing::info!("draining");
    host.readiness.draining();
    host.shutdown.cancel();
    servers.close();
    servers.wait().await;
    host.tasks.close();
    if tokio::time::timeout(TASK_GRACE, host.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = host.tasks.len(), "tasks did not finish in time");
    }
    tracing::info!("stopped");
}
