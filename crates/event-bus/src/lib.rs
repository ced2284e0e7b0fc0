//! Events over RabbitMQ: outbox relay, store-and-acknowledge consumer, inbox worker, taps for subscriptions.
//!
//! Owns the way of an event from the business transaction that caused it to the transaction that applies it:
//! [`enqueue`] in the cause, [`Bus::run_relay`] and [`Bus::run_consumer`] in between, [`InboxWorker`] in the
//! effect. No service knows lapin but through it. Must not know any event's meaning.
//!
//! Delivery is at least once on every leg; the inbox's primary key makes the effect happen once. Order is not
//! kept: an event carries its aggregate's version.
//!
//! The tables are in `sql/`; a service copies both files verbatim into its migrations. The broker's policies are
//! in this crate's README.

mod bus;
mod consumer;
mod inbox;
mod link;
mod message;
mod metrics;
mod operate;
mod outbox;
mod parking;
mod prune;
mod publisher;
mod relay;
mod tap;
mod topology;
mod worker;

pub use bus::Bus;
pub use inbox::{DeadMessage, make_due};
pub use message::{DecodeError, Message, context};
pub use operate::{dead_by_consumer, list_dead, replay_dead, republish};
pub use outbox::{OutboxRow, enqueue, enqueue_all};
pub use parking::{ParkedMessage, ParkingError};
pub use prune::{Pruned, Retention, ids_older_than, prune, run_pruner};
pub use publisher::{PublishError, Publisher};
pub use relay::{RelayError, RelayHandle, relay_once};
pub use tap::{Signal, Tap, TapReceiver};
pub use topology::QueueSpec;
pub use worker::{Handle, HandleError, InboxHandle, InboxWorker, Limits};

/// DDL of the outbox table; the copy in a service's migrations must be equal.
pub const OUTBOX_SQL: &str = include_str!("../sql/outbox.sql");
/// DDL of the inbox table; the copy in a service's migrations must be equal.
pub const INBOX_SQL: &str = include_str!("../sql/inbox.sql");
