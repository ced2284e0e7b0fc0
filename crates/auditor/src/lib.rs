//! Checks the invariants of the saga (I1 to I19) over the databases of order, inventory and payment,
//! and the provider's own books.
//!
//! Owns an account of what must be true that is independent of the services: it reads their tables and repeats
//! none of their code. Must not change anything, and must not know how a service keeps its promises.

mod books;
mod broker;
mod checks;
mod finding;
mod provider;
mod rest;
mod table;
pub mod watch;

pub use books::{Addresses, Books};
pub use broker::Broker;
pub use finding::{Finding, Report};
pub use provider::Provider;
pub use rest::{Rest, wait_for_rest};
pub use table::print;

use contracts::OrderId;

/// What the databases alone can't tell.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// What changed more recently may still be on its way and is not judged; 0 when the system is at rest.
    pub grace_s: f64,
    /// How much longer a reservation lives than the deadline of its order.
    pub margin_s: f64,
    /// How long a transaction may idle.
    pub idle_s: f64,
    /// How many poison messages were injected.
    pub poison: i64,
    /// SKUs of which exactly so many units must be sold.
    pub sold: Vec<(String, i64)>,
    /// Orders whose creation a client saw acknowledged.
    pub acknowledged: Vec<OrderId>,
    /// A folder of logs to search for secrets.
    pub logs: Option<std::path::PathBuf>,
    /// The broker, to count its parked messages.
    pub broker: Option<Broker>,
    /// The payment provider, to compare its books with ours.
    pub provider: Option<Provider>,
    /// Address of analytics' database, to compare its sums with the books.
    pub analytics: Option<String>,
}

impl Expectations {
    /// How much longer a reservation lives than the deadline of its order.
    pub const MARGIN_S: f64 = 120.0;
    /// Longer than any honest transaction pauses between statements.
    pub const IDLE_S: f64 = 5.0;

    /// Of the databases alone, beside live traffic.
    pub fn beside_traffic() -> Self {
        Self {
            grace_s: 60.0,
            margin_s: Self::MARGIN_S,
            idle_s: Self::IDLE_S,
            ..Self::default()
        }
    }
}

/// Checks everything.
pub async fn audit(books: &Books, expected: &Expectations) -> anyhow::Result<Report> {
    checks::all(books, expected).await
}
