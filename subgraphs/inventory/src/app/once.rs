//! Staff changes that happen once per idempotency key.

use pg_kit::idempotency::{self, Claim, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{PgPool, Postgres, Transaction};

use super::Error;
use crate::domain::Refusal;

/// What the table takes.
const MAX_KEY_CHARS: usize = 200;

/// The outcome of a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Once<T> {
    /// This is what came of it, now or the first time.
    Done(T),
    /// The key belongs to another request.
    KeyReused,
}

/// A transaction that holds the key, or the answer that makes it needless.
pub(super) enum Begun<T> {
    Fresh(Transaction<'static, Postgres>),
    Settled(Once<T>),
}

/// Begins the transaction of a request with a key.
pub(super) async fn begin<T: DeserializeOwned>(
    pool: &PgPool,
    scope: &Scope<'_>,
    hash: &[u8; 32],
) -> Result<Begun<T>, Error> {
    if !(1..=MAX_KEY_CHARS).contains(&scope.key.chars().count()) || scope.key.contains('\0') {
        return Err(
            Refusal::Invalid(format!("an idempotencyKey has 1 to {MAX_KEY_CHARS} characters")).into(),
        );
    }
    let mut tx = pool.begin().await?;
    match idempotency::claim(&mut tx, scope, hash).await? {
        Claim::Fresh => Ok(Begun::Fresh(tx)),
        Claim::Replay(answer) => Ok(Begun::Settled(Once::Done(serde_json::from_value(answer)?))),
        Claim::Reused => Ok(Begun::Settled(Once::KeyReused)),
        Claim::InProgress => Err(Error::Busy),
    }
}

/// Stores the answer under the key and commits both with the change.
pub(super) async fn finish<T: Serialize>(
    mut tx: Transaction<'static, Postgres>,
    scope: &Scope<'_>,
    answer: T,
) -> Result<Once<T>, Error> {
    idempotency::complete(&mut tx, scope, &answer).await?;
    tx.commit().await?;
    Ok(Once::Done(answer))
}
