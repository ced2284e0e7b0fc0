//! Connections with the time-outs that keep one stuck request from stopping the others.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use service_kit::{Backoff, Secret, metrics};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::time::{Instant, timeout};

/// A caller who gets no connection by then gets an error. A connection that a caller opens, in place of a broken one,
/// must be open by then too, or it is thrown away half made: so it is much longer than that takes on a busy machine.
const ACQUIRE: Duration = Duration::from_secs(15);
/// A store that starts at the same time as its service gets this long to come up.
const PATIENCE: Duration = Duration::from_secs(15);
/// A server that takes a connection and doesn't greet for so long is as good as gone.
const GREETING: Duration = Duration::from_mins(1);
/// A server's process grows with what it has done: one is replaced after this,
const LIFETIME: Duration = Duration::from_mins(30);
/// and then not all at once.
const BETWEEN_RETIREMENTS: Duration = Duration::from_secs(10);
const KEEP_EVERY: Duration = Duration::from_secs(1);

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

    /// Three replicas of every service together stay below the 300 that a server of ours takes.
    const fn connections(self) -> u32 {
        match self {
            Self::Requests => 12,
            Self::Workers => 8,
        }
    }
}

/// Opens a pool, whole: see [`open`]. Waits a while for a server that is still starting; a wrong password or database
/// fails at once.
pub async fn connect(url: &Secret, service: &'static str, purpose: Purpose) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url.expose())?
        .application_name(&format!("{service}-{}", purpose.label()))
        .options([
            ("statement_timeout", "10s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "15s"),
            // Notices at each start ("already exists, skipping") say nothing to an operator.
            ("client_min_messages", "warning"),
        ])
        .disable_statement_logging();
    open(options, purpose.label(), purpose.connections(), ACQUIRE).await
}

/// A pool of one size: all its connections are opened before anybody asks for one, one after the other, by sqlx's own
/// upkeep, which isn't bound by a caller's patience.
///
/// Opened by callers, as sqlx does when there are fewer than the most, connections come to be when there is least time
/// for it: all at once, on a machine that is busy already. Those that take longer than a caller waits are thrown away
/// half made and begun anew by the next, so that the pool stands still until the load ends.
async fn open(
    options: PgConnectOptions,
    label: &'static str,
    connections: u32,
    acquire: Duration,
) -> Result<PgPool, sqlx::Error> {
    await_server(&options).await?;
    let retired = Arc::new(Mutex::new(Instant::now()));
    let taken = service_kit::metrics::counter(
        "pg_connections_taken_total",
        "Connections taken from a pool: one for each transaction, and one for each statement outside of any.",
        &["pool"],
    )
    .with_label_values(&[label]);
    let pool = PgPoolOptions::new()
        .before_acquire(move |_, _| {
            taken.inc();
            Box::pin(async { Ok(true) })
        })
        .min_connections(connections)
        .max_connections(connections)
        .acquire_timeout(acquire)
        // With either of these, upkeep begins only once there is something to take away.
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(move |_, meta| {
            let retires = meta.age > LIFETIME && is_due(&retired);
            Box::pin(async move { Ok(!retires) })
        })
        .connect_lazy_with(options);
    fill(&pool, connections).await;
    tokio::spawn(keep(pool.clone(), label));
    Ok(pool)
}

/// Whether the last one was long enough ago; then this is the last one.
fn is_due(last: &Mutex<Instant>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.elapsed() > BETWEEN_RETIREMENTS;
    if due {
        *last = Instant::now();
    }
    due
}

/// Tries one connection, which the pool's upkeep would do without saying why it fails.
async fn await_server(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_secs(1),
    };
    let deadline = Instant::now() + PATIENCE;
    let mut attempt = 0;
    loop {
        let tried = timeout(GREETING, options.connect()).await;
        match tried.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(connection) => return connection.close().await,
            Err(error) if crate::is_retryable(&error) && Instant::now() < deadline => {
                tracing::warn!(%error, "waiting for PostgreSQL");
                tokio::time::sleep(backoff.delay(attempt)).await;
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits until all connections are open, or until there was no other one for a while: a server may have fewer left, and
/// some do the work as well.
async fn fill(pool: &PgPool, connections: u32) {
    let (mut open, mut since) = (0, Instant::now());
    while pool.num_idle() < connections as usize {
        if pool.num_idle() > open {
            (open, since) = (pool.num_idle(), Instant::now());
        }
        if since.elapsed() > PATIENCE {
            tracing::warn!(open, connections, "PostgreSQL gives no more connections");
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Takes its turn among the callers every second, and shows how long that took. A connection that is opened in this
/// turn is not thrown away because a caller's client went: so a pool that lost all its connections always gets one back.
async fn keep(pool: PgPool, label: &'static str) {
    let connections = metrics::gauge(
        "pg_pool_connections",
        "Connections of a pool, idle and in all.",
        &["pool", "state"],
    );
    let wait = metrics::histogram(
        "pg_pool_wait_seconds",
        "How long one waits for a connection, tried every second.",
        &["pool"],
    );
    let mut ended = pool.close_event();
    let turns = async {
        loop {
            let begun = Instant::now();
            let turn = pool.acquire().await;
            wait.with_label_values(&[label])
                .observe(begun.elapsed().as_secs_f64());
            drop(turn);
            let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX);
            connections.with_label_values(&[label, "idle"]).set(idle);
            connections
                .with_label_values(&[label, "all"])
                .set(i64::from(pool.size()));
            tokio::time::sleep(KEEP_EVERY).await;
        }
    };
    // An error is how it says that the pool was closed.
    let _: Result<(), sqlx::Error> = ended.do_until(turns).await;
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Notify;

    use super::*;

    const CALLERS: usize = 50;
    const SIZE: u32 = 4;
    const SOON: Duration = Duration::from_mins(2);

    /// A way to the server on which each connection begins late, and can be cut.
    #[derive(Clone, Default)]
    struct Way {
        delay_ms: Arc<AtomicU64>,
        begun: Arc<AtomicUsize>,
        cut: Arc<Notify>,
    }

    impl Way {
        async fn to(server: SocketAddr) -> (Self, SocketAddr) {
            let (way, listener) = (Self::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
            let address = listener.local_addr().unwrap();
            let ways = way.clone();
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    ways.begun.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(ways.clone().carry(client, server));
                }
            });
            (way, address)
        }

        async fn carry(self, mut client: TcpStream, server: SocketAddr) {
            let cut = self.cut.notified();
            tokio::time::sleep(Duration::from_millis(self.delay_ms.load(Ordering::SeqCst))).await;
            let mut server = TcpStream::connect(server).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                () = cut => {}
            }
        }

        fn delays(&self, delay: Duration) {
            let ms = u64::try_from(delay.as_millis()).unwrap();
            self.delay_ms.store(ms, Ordering::SeqCst);
        }
    }

    async fn through(db: &test_kit::TestDb) -> (Way, PgConnectOptions) {
        let options = PgConnectOptions::from_str(&db.url).unwrap();
        let server = format!("{}:{}", options.get_host(), options.get_port());
        let mut addresses = tokio::net::lookup_host(server).await.unwrap();
        let (way, address) = Way::to(addresses.next().unwrap()).await;
        let options = options.host(&address.ip().to_string()).port(address.port());
        (way, options)
    }

    /// All at once, each again and again until it was answered; each goes away when it isn't within `patience`.
    async fn ask_until_answered(pool: &PgPool, patience: Duration) {
        let callers = (0..CALLERS).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let ask = || sqlx::query("SELECT 1").execute(&pool);
                while !matches!(timeout(patience, ask()).await, Ok(Ok(_))) {
                    tokio::task::yield_now().await;
                }
            })
        });
        let callers: Vec<_> = callers.collect();
        for caller in callers {
            timeout(SOON, caller)
                .await
                .expect("the pool came to be usable")
                .unwrap();
        }
    }

    #[tokio::test]
    async fn connections_that_take_longer_to_open_than_callers_wait_are_opened_once() {
        let db = test_kit::empty_postgres().await;
        let (way, options) = through(&db).await;
        way.delays(Duration::from_secs(4));
        let patience = Duration::from_secs(2);
        let pool = open(options, "slow", SIZE, patience).await.unwrap();
        let begun = || way.begun.load(Ordering::SeqCst);
        assert_eq!(begun(), SIZE as usize + 1, "one to try the server");
        ask_until_answered(&pool, patience).await;
        // On a machine that stands still a caller's time may end in a statement, which costs a connection.
        assert!(begun() < CALLERS, "{} connections were begun", begun());
    }

    #[tokio::test]
    async fn a_pool_that_lost_all_its_connections_gets_them_back_though_no_caller_waits_for_one() {
        let db = test_kit::empty_postgres().await;
        let (way, options) = through(&db).await;
        let pool = open(options, "cut", SIZE, Duration::from_secs(30)).await.unwrap();
        way.delays(Duration::from_secs(4));
        way.cut.notify_waiters();
        ask_until_answered(&pool, Duration::from_secs(2)).await;
        let begun = way.begun.load(Ordering::SeqCst);
        assert!(begun < 20 * CALLERS, "{begun} connections were begun");
        pool.close().await;
    }

    #[test]
    fn connections_retire_one_by_one() {
        let last = Mutex::new(Instant::now());
        assert!(!is_due(&last));
        *last.lock().unwrap() = Instant::now().checked_sub(BETWEEN_RETIREMENTS * 2).unwrap();
        assert!(is_due(&last) && !is_due(&last));
    }
}
