//! Auth's rows and counters: the only place with SQL and Redis commands.

pub(crate) mod sessions;
pub(crate) mod throttles;
pub(crate) mod users;
