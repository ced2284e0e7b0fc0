//! The way of an event against a real PostgreSQL and RabbitMQ.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod again;
mod broker;
mod faults;
mod restricted;
mod scene;
mod tap;
mod worker;

/// The tables as a service's migrations hold them.
#[test]
fn migrations_copy_the_ddl_verbatim() {
    assert_eq!(
        include_str!("../migrations/0001_outbox.sql"),
        event_bus::OUTBOX_SQL
    );
    assert_eq!(include_str!("../migrations/0002_inbox.sql"), event_bus::INBOX_SQL);
}
