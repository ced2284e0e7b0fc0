//! Auth against a real PostgreSQL and a real Redis.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod contacts;
mod disabled;
mod entrance;
mod login;
mod logout;
mod passwords;
mod public;
mod refresh;
mod register;
mod roles;
mod secrets;
mod users;
