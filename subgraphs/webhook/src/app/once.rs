//! Changes that happen once per idempotency key.

use contracts::UserId;
use pg_kit::idempotency::{self, Claim, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{PgPool, Postgres, Transaction};

use super::AppError;

/// Who asks, and under which key.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) by: UserId,
    pub(crate) key: String,
}

/// The outcome of a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Once<T> {
    /// This is what came of it, now or the first time.
    Done(T),
    /// The key belongs to another request.
    KeyReused,
    /// The same request is being worked on.
    InProgress,
}

impl<T> Once<T> {
    /// The same with another outcome.
    pub(super) fn map<U>(self, into: impl FnOnce(T) -> U) -> Once<U> {
        match self {
            Self::Done(outcome) => Once::Done(into(outcome)),
            Self::KeyReused => Once::KeyReused,
            Self::InProgress => Once::InProgress,
        }
    }
}

/// A transaction that holds the key, or the answer that makes it needless.
pub(super) enum Begun<T> {
    Fresh(Transaction<'static, Postgres>),
    Settled(Once<T>),
}

/// A request with its use case and its input.
pub(super) struct Keyed {
    principal: String,
    operation: &'static str,
    key: String,
    hash: [u8; 32],
}

impl Keyed {
    pub(super) fn new(request: Request, operation: &'static str, input: &impl Serialize) -> Self {
        Self {
            principal: request.by.to_string(),
            operation,
            key: request.key,
            hash: idempotency::request_hash(input),
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            principal: &self.principal,
            operation: self.operation,
            key: &self.key,
        }
    }

    /// Begins the transaction of the request.
    pub(super) async fn begin<T: DeserializeOwned>(&self, pool: &PgPool) -> Result<Begun<T>, AppError> {
        let mut tx = pool.begin().await?;
        let settled = match idempotency::claim(&mut tx, &self.scope(), &self.hash).await? {
            Claim::Fresh => return Ok(Begun::Fresh(tx)),
            Claim::Replay(outcome) => Once::Done(serde_json::from_value(outcome)?),
            Claim::Reused => Once::KeyReused,
            Claim::InProgress => Once::InProgress,
        };
        tx.rollback().await?;
        Ok(Begun::Settled(settled))
    }

    /// Keeps the outcome under the key and commits both with the change.
    pub(super) async fn finish<T: Serialize>(
        &self,
        mut tx: Transaction<'static, Postgres>,
        outcome: T,
    ) -> Result<Once<T>, AppError> {
        idempotency::complete(&mut tx, &self.scope(), &outcome).await?;
        tx.commit().await?;
        Ok(Once::Done(outcome))
    }
}
