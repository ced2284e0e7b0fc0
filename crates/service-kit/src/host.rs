//! What a running service is given, and what it gives back to be served.

use std::net::SocketAddr;

use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{Admission, Clock, Env, Readiness, correlation, metrics};

/// The process around a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Host {
    /// The service's name.
    pub service: &'static str,
    /// Tells the time.
    pub clock: Clock,
    /// Cancelled when the process should stop: workers finish what they hold and return.
    pub shutdown: CancellationToken,
    /// Work that the process waits for before it exits.
    pub tasks: TaskTracker,
    /// Whether traffic should come.
    pub readiness: Readiness,
    /// Which requests are let in.
    pub admission: Admission,
}

impl Host {
    /// A host on the machine's clock.
    pub fn new(service: &'static str) -> Self {
        Self {
            service,
            clock: Clock::system(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            readiness: Readiness::new(),
            admission: Admission::default(),
        }
    }

    /// A host for a test that steps the work itself.
    pub fn for_test(service: &'static str) -> Self {
        Self::new(service)
    }

    /// Runs background work that the process waits for at its end. A panic is logged and takes the process out of
    /// rotation, because nobody would do that work any more.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = tokio::spawn(future);
        let readiness = self.readiness.clone();
        self.tasks.spawn(async move {
            if let Err(error) = work.await
                && error.is_panic()
            {
                tracing::error!(task = name, "background task panicked");
                readiness.component(name).down("panicked");
            }
        });
    }
}

/// An address and what answers there.
#[derive(Debug)]
pub struct Listener {
    /// What it is for: `graphql`, `internal`, `public`.
    pub name: &'static str,
    /// Where it listens.
    pub addr: SocketAddr,
    /// What answers.
    pub router: Router,
}

impl Listener {
    /// Routes at an address.
    pub const fn new(name: &'static str, addr: SocketAddr, router: Router) -> Self {
        Self { name, addr, router }
    }

    /// The router as it is served: with correlation id, trace, metrics, and a panic answered with 500.
    pub fn instrumented(self) -> Router {
        self.router
            .layer(CatchPanicLayer::new())
            .layer(metrics::http_layer(self.name))
            .layer(correlation::layer())
    }
}

/// The two addresses that every service has beside its ops address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listeners {
    /// `GRAPHQL_ADDR`: for the router alone.
    pub graphql: SocketAddr,
    /// `INTERNAL_ADDR`: for other services.
    pub internal: SocketAddr,
}

impl Listeners {
    /// Reads `GRAPHQL_ADDR` and `INTERNAL_ADDR`.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let graphql = env.required("GRAPHQL_ADDR");
        let internal = env.required("INTERNAL_ADDR");
        Some(Self {
            graphql: graphql?,
            internal: internal?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panicking_task_takes_the_process_out_of_rotation() {
        let host = Host::for_test("test");
        host.readiness.serving();
        assert!(host.readiness.is_ready());
        host.spawn("worker", async { panic!("boom") });
        host.tasks.close();
        host.tasks.wait().await;
        assert!(!host.readiness.is_ready());
    }

    #[test]
    fn reads_both_addresses_or_names_both() {
        let mut env = Env::from_pairs([("GRAPHQL_ADDR", "127.0.0.1:1"), ("INTERNAL_ADDR", "127.0.0.1:2")]);
        assert_eq!(Listeners::from_env(&mut env).unwrap().internal.port(), 2);
        let mut env = Env::from_pairs([("GRAPHQL_ADDR", "nonsense")]);
        assert!(Listeners::from_env(&mut env).is_none());
        assert_eq!(env.finish(|| Some(())).unwrap_err().faults.len(), 2);
    }
}
