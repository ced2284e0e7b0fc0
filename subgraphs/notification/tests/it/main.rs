//! Notification against its real database, broker and a real mail server, with auth played by `stage`.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod blame;
mod golden;
mod graph;
mod live;
mod mails;
mod secure;
mod stage;
mod telling;
mod wiring;
