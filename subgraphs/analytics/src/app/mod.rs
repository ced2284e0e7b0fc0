//! What analytics does, one verb a file. The only place that opens transactions, and that calls cart, which is never
//! done inside one.

mod count_carts;
mod hear;
mod read;
mod rebuild;

use std::ops::Deref;
use std::sync::Arc;

use service_kit::{Clock, Host};
use sqlx::PgPool;

use crate::clients::Cart;

pub(crate) use crate::store::report::Funnel;
pub(crate) use hear::hear;
pub use rebuild::Begun;

/// What a use case can fail with, besides refusing.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The analytics database.
    #[error("the analytics database failed")]
    Store(#[source] sqlx::Error),
    /// Somebody else is just about to do it.
    #[error("the same is being begun elsewhere")]
    Busy,
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
    /// Knows how many carts were begun.
    pub cart: Cart,
}

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the use cases share.
pub struct Inner {
    requests: PgPool,
    workers: PgPool,
    cart: Cart,
    clock: Clock,
    host: Host,
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
        Self(Arc::new(Inner {
            requests: parts.requests,
            workers: parts.workers,
            cart: parts.cart,
            clock: host.clock.clone(),
            host: host.clone(),
        }))
    }

    /// Starts what runs in the background until the host stops.
    pub fn run_workers(&self) {
        self.host
            .spawn("cart counter", self.clone().count_carts_forever());
    }

    /// Connections of the workers, for the workers of other crates.
    pub fn workers_pool(&self) -> &PgPool {
        &self.0.workers
    }
}
