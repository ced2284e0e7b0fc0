//! What order does, one verb a file. The only place that opens transactions and that calls other services.

mod apply_inventory_event;
mod apply_payment_event;
mod cancel_order;
mod create_coupon;
mod create_order;
mod deliver_order;
mod empty_carts;
mod end_coupon;
mod find_coupons;
mod find_orders;
mod fire_timers;
mod forget_keys;
mod measure;
mod publish;
mod record;
mod refund_order;
mod retry_order;
mod return_order;
mod run_returns;
mod run_saga;
mod ship_order;
mod steer;
mod watch_all;
mod watch_order;

use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use event_bus::{RelayHandle, Tap};
use service_kit::{Backoff, Clock, Host};
use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore};

pub use create_order::{CreateOrder, Created};
pub use refund_order::RefundOrder;
pub use return_order::ReturnOrder;
pub use ship_order::ShipOrder;
pub use steer::{Asked, Key};

use crate::clients::Clients;
use crate::store::saga::{Holder, Job};
use record::Recorder;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// From the placing of an order to giving it up unpaid.
    pub deadline: Duration,
    /// How much longer stock is held than the payment may take.
    pub margin: Duration,
    /// How long a saga belongs to whoever runs it. Longer than its calls may take.
    pub lease: Duration,
    /// The safety net under the wake-ups.
    pub poll: Duration,
    /// Waits between tries of a call.
    pub backoff: Backoff,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deadline: Duration::from_mins(10),
            margin: Duration::from_mins(2),
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(250),
            backoff: Backoff {
                base: Duration::from_millis(200),
                cap: Duration::from_secs(30),
            },
        }
    }
}

/// Sagas running at the same time in this process.
const RUNNING: usize = 192;

/// What a use case can fail with, besides refusing.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The order database.
    #[error("the order database failed")]
    Store(#[source] sqlx::Error),
    /// Another service does not answer; nothing was changed.
    #[error("{0} is not available")]
    Unavailable(&'static str),
    /// The cart is larger than an order may be.
    #[error("an order has at most {0} lines")]
    TooLarge(usize),
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(pg_kit::count_error(error))
    }
}

/// What the application works with.
pub struct Parts {
    /// Connections that answer callers.
    pub requests: PgPool,
    /// Connections of the workers.
    pub workers: PgPool,
    /// The called services.
    pub clients: Clients,
    /// Publishes the outbox.
    pub relay: RelayHandle,
    /// Hears every replica's steps.
    pub steps: Tap,
    /// How long things may take.
    pub policy: Policy,
}

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the use cases share.
pub struct Inner {
    requests: PgPool,
    workers: PgPool,
    clients: Clients,
    relay: RelayHandle,
    steps: Tap,
    policy: Policy,
    clock: Clock,
    host: Host,
    holder: Holder,
    running: Arc<Semaphore>,
    due: Notify,
    carts: Notify,
    returns: Notify,
    recorder: OnceLock<Recorder>,
    /// Sagas to go on with, when no worker runs: tests step them.
    waiting: Mutex<Vec<Job>>,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// An application whose background work stands still until [`App::run_workers`], or is stepped.
    pub fn new(parts: Parts, host: &Host) -> Self {
        let holder = Holder {
            name: format!("order-{}", service_kit::correlation::new_id()),
            lease: parts.policy.lease,
        };
        Self(Arc::new(Inner {
            requests: parts.requests,
            workers: parts.workers,
            clients: parts.clients,
            relay: parts.relay,
            steps: parts.steps,
            policy: parts.policy,
            clock: host.clock.clone(),
            host: host.clone(),
            holder,
            running: Arc::new(Semaphore::new(RUNNING)),
            due: Notify::new(),
            carts: Notify::new(),
            returns: Notify::new(),
            recorder: OnceLock::new(),
            waiting: Mutex::default(),
        }))
    }

    /// Starts what runs in the background until the host stops.
    pub fn run_workers(&self) {
        self.start_recorders();
        self.host.spawn("saga claimer", self.clone().claim_forever());
        self.host.spawn("deadlines", self.clone().fire_timers_forever());
        self.host
            .spawn("cart emptier", self.clone().empty_carts_forever());
        self.host.spawn("returns", self.clone().run_returns_forever());
        self.host
            .spawn("key forgetter", self.clone().forget_keys_forever());
        self.host.spawn("saga metrics", self.clone().measure_forever());
    }

    /// The service's time.
    pub(crate) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }

    /// Connections of the workers, for the workers of other crates.
    pub fn workers_pool(&self) -> &PgPool {
        &self.0.workers
    }

    /// Goes on with sagas that were just saved under this process's lease.
    pub(crate) fn go_on(&self, jobs: impl IntoIterator<Item = Job>) {
        self.relay.wake();
        for job in jobs {
            if self.recorder.get().is_some() {
                self.host.tasks.spawn(self.clone().drive(job));
            } else {
                self.waiting().push(job);
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `notify`, but not for long; false once the host stops.
    async fn pause(&self, notify: &Notify, at_most: Duration) -> bool {
        tokio::select! {
            () = notify.notified() => true,
            () = tokio::time::sleep(at_most) => true,
            () = self.host.shutdown.cancelled() => false,
        }
    }
}
