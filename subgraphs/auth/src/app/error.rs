//! How a use case can fail.

use crate::domain::Refusal;

/// Either a refusal the user can act on, or a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A definite "no".
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The session behind the access token has ended.
    #[error("the session behind the access token has ended")]
    SessionEnded,
    /// The caller's role was taken away since the token was signed.
    #[error("the caller no longer has the role")]
    RoleLost,
    /// PostgreSQL.
    #[error("the user store failed")]
    Store(#[from] sqlx::Error),
    /// Redis: without its counters nobody may try a password.
    #[error("the login counters failed")]
    Limits(#[from] redis::RedisError),
    /// More logins at once than this machine may hash.
    #[error("too many passwords are being hashed")]
    Busy,
    /// Argon2 refused.
    #[error("hashing failed: {0}")]
    Hash(String),
}
