//! Connections with the time-outs that keep one stuck request from stopping the others.

use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;

use log::LevelFilter;
use service_kit::{Admission, Backoff, Host, Secret, metrics};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool, Postgres};
use tokio::time::Instant;

use crate::errors;

/// Callers get an error rather than a queue. Much longer than opening a connection takes: the wait for a turn counts
/// too, and a connection that is not open by the end of it is thrown away half made. With a shorter time a pool that
/// lost its connections under load would never get one back.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A store that starts at the same time as its service gets this long to come up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often its figures are taken.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// Who waits longer than this for a turn waits in a queue that should not grow. A tenth of [`ACQUIRE`], so that those
/// who wait already get a connection, a new one too, before they give up.
const TOO_LONG: Duration = Duration::from_millis(500);

/// Who uses the pool. Requests and workers have pools of their own, so that requests can't starve recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Answering callers.
    Requests,
    /// Relay, inbox, sagas, sweepers.
    Workers,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Workers => "workers",
        }
    }

    /// Open before the service is ready, so that its first callers, of whom a restart under load brings many, don't
    /// all open one.
    const fn min_connections(self) -> u32 {
        match self {
            Self::Requests => 6,
            Self::Workers => 3,
        }
    }

    const fn max_connections(self) -> u32 {
        match self {
            Self::Requests => 16,
            Self::Workers => 8,
        }
    }
}

/// Opens a pool. Waits a while for a server that is still starting; a wrong password or database fails at once.
/// Requests are let in by `host.admission` while they get a connection soon.
pub async fn connect(url: &Secret, host: &Host, purpose: Purpose) -> Result<PgPool, sqlx::Error> {
    let service = host.service;
    let options = PgConnectOptions::from_str(url.expose())?
        .application_name(&format!("{service}-{}", purpose.label()))
        .options([
            ("statement_timeout", "10s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "15s"),
            // Notices at each start ("already exists, skipping") say nothing to an operator.
            ("client_min_messages", "warning"),
        ])
        // Heard by the process's own figures, in no log (`sql_statement_seconds`).
        .log_statements(LevelFilter::Debug)
        .log_slow_statements(LevelFilter::Debug, Duration::MAX);
    let taken = metrics::counter(
        "pg_connections_taken_total",
        "Connections taken from a pool: one for each transaction, and one for each statement outside of any.",
        &["pool"],
    )
    .with_label_values(&[purpose.label()]);
    errors::exist();
    let pool = PgPoolOptions::new()
        .before_acquire(move |_, _| {
            taken.inc();
            Box::pin(async { Ok(true) })
        })
        .min_connections(purpose.min_connections())
        .max_connections(purpose.max_connections())
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_mins(5))
        .max_lifetime(Duration::from_mins(30));
    let backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_secs(1),
    };
    let deadline = Instant::now() + PATIENCE;
    let mut attempt = 0;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if crate::is_retryable(&error) && Instant::now() < deadline => {
                tracing::warn!(%error, "waiting for PostgreSQL");
                tokio::time::sleep(backoff.delay(attempt)).await;
                attempt += 1;
            }
            outcome => {
                if let Ok(pool) = &outcome {
                    let admission = match purpose {
                        Purpose::Requests => host.admission.clone(),
                        // Nobody comes through a door to them.
                        Purpose::Workers => Admission::default(),
                    };
                    let watched = pool.clone();
                    admission.set_busy_when(move || watched.num_idle() == 0);
                    tokio::spawn(watch(pool.clone(), purpose.label(), admission));
                }
                return outcome;
            }
        }
    }
}

/// Takes its turn among the callers now and then, and shows how long that took and how many connections there are.
/// While its turn does not come soon, nobody else is let in.
async fn watch(pool: PgPool, label: &'static str, admission: Admission) {
    let connections = metrics::gauge(
        "pg_pool_connections",
        "Connections of a pool, idle and in all.",
        &["pool", "state"],
    );
    let wait = metrics::histogram(
        "pg_pool_wait_seconds",
        "How long one waits for a connection, tried every half second.",
        &["pool"],
    );
    let mut ended = pool.close_event();
    let turns = async {
        loop {
            let begun = Instant::now();
            let turn = turn(&pool, label, &admission).await;
            wait.with_label_values(&[label])
                .observe(begun.elapsed().as_secs_f64());
            drop(turn);
            let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX);
            connections.with_label_values(&[label, "idle"]).set(idle);
            connections
                .with_label_values(&[label, "all"])
                .set(i64::from(pool.size()));
            tokio::time::sleep(WATCH_EVERY).await;
        }
    };
    // An error is how it says that the pool was closed.
    let _: Result<(), sqlx::Error> = ended.do_until(turns).await;
}

/// A connection when the turn comes; none when it does not within [`ACQUIRE`].
async fn turn(pool: &PgPool, label: &'static str, admission: &Admission) -> Option<PoolConnection<Postgres>> {
    let mut turn = pin!(pool.acquire());
    let turn = if let Ok(turn) = tokio::time::timeout(TOO_LONG, turn.as_mut()).await {
        turn
    } else {
        if admission.set_behind(true) {
            tracing::warn!(
                pool = label,
                "requests wait too long for PostgreSQL: new ones are refused"
            );
        }
        turn.await
    };
    if turn.is_ok() && admission.set_behind(false) {
        tracing::info!(
            pool = label,
            "PostgreSQL serves at once again: requests are let in"
        );
    }
    turn.ok()
}

/// Brings the schema up to date. Of several processes that start together one does it, under an advisory lock, and
/// the others wait.
pub async fn migrate(pool: &PgPool, migrator: &Migrator) -> Result<(), MigrateError> {
    // A connection of its own, thrown away: building an index may take longer than a request's statement may.
    let mut connection = pool.acquire().await?.detach();
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = '60s'")
        .execute(&mut connection)
        .await?;
    migrator.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
