//! How a use case can fail.

use std::fmt::Display;
use std::net::IpAddr;

use service_kit::refusal::{Door, refused};
use sha2::{Digest, Sha256};

use crate::domain::{Email, Refusal};

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
    Store(#[source] sqlx::Error),
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

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(pg_kit::count_error(error))
    }
}

/// Notes in the log whoever was not let in. Slips of an honest user's input are not noted.
pub(super) fn note<T>(outcome: &Result<T, Error>, who: impl Display, what: impl Display) {
    let Err(Error::Refused(refusal)) = outcome else {
        return;
    };
    let code = match refusal {
        Refusal::InvalidCredentials => "INVALID_CREDENTIALS",
        Refusal::TooManyAttempts { .. } => "TOO_MANY_ATTEMPTS",
        Refusal::AccountDisabled => "ACCOUNT_DISABLED",
        Refusal::TokenExpired => "TOKEN_EXPIRED",
        Refusal::TokenReused => "TOKEN_REUSED",
        _ => return,
    };
    refused(Door::Login, who, what, code, refusal);
}

/// An account as a line of the log names it: the same each time, and no address.
pub(super) fn mark(email: &str) -> String {
    let key = Email::try_new(email).map_or_else(|_| String::new(), |email| email.key());
    hex::encode(&Sha256::digest(key.as_bytes())[..6])
}

/// Where somebody comes from who is not signed in.
pub(super) fn from(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "anonymous".to_owned(), |address| address.to_string())
}
