//! Outcomes stored by idempotency key, in the transaction that makes them.
//!
//! The flow of a use case: [`peek`] before expensive reads; begin; [`claim`] as the first statement; the business;
//! [`complete`]; commit. Table: `sql/idempotency.sql`, copied into the migrations of each user.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, Row};

use crate::in_batches;

/// Whose key it is and for what.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The caller that the key belongs to: the same text from another caller is another key.
    pub principal: &'a str,
    /// The use case.
    pub operation: &'static str,
    /// The key as the caller sent it, 1..200 characters.
    pub key: &'a str,
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is new, and this transaction holds it now.
    Fresh,
    /// It was completed with the same input: this was the outcome.
    Replay(Value),
    /// It was used with another input.
    Reused,
    /// Another transaction holds it. After this answer from [`claim`] the transaction can only be rolled back.
    InProgress,
}

/// SHA-256 of the canonical JSON of an input: the order of fields makes no difference.
pub fn request_hash<T: Serialize>(input: &T) -> [u8; 32] {
    let mut text = String::new();
    // An input that can't become JSON can't have come from JSON; it hashes as null.
    write_canonical(&serde_json::to_value(input).unwrap_or(Value::Null), &mut text);
    Sha256::digest(text.as_bytes()).into()
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in fields {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Looks without claiming; `None` when the key is new. Never `Fresh`.
pub async fn peek(
    connection: &mut PgConnection,
    scope: &Scope<'_>,
    hash: &[u8; 32],
) -> Result<Option<Claim>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT request_hash, response FROM idempotency_key WHERE principal = $1 AND operation = $2 AND key = $3",
    )
    .bind(scope.principal)
    .bind(scope.operation)
    .bind(scope.key)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.try_get::<&[u8], _>(0)? != hash {
        return Ok(Some(Claim::Reused));
    }
    Ok(Some(
        row.try_get::<Option<Value>, _>(1)?
            .map_or(Claim::InProgress, Claim::Replay),
    ))
}

/// Takes the key for this transaction. A concurrent twin waits here until the first one ends (at most the session's
/// `lock_timeout`), then replays it or, if it rolled back, takes over.
pub async fn claim(
    connection: &mut PgConnection,
    scope: &Scope<'_>,
    hash: &[u8; 32],
) -> Result<Claim, sqlx::Error> {
    let inserted = sqlx::query(
        "INSERT INTO idempotency_key (principal, operation, key, request_hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(scope.principal)
    .bind(scope.operation)
    .bind(scope.key)
    .bind(hash.as_slice())
    .execute(&mut *connection)
    .await;
    match inserted {
        Ok(done) if done.rows_affected() == 1 => Ok(Claim::Fresh),
        // Gone between the two statements means purged just now: the caller retries and starts afresh.
        Ok(_) => Ok(peek(connection, scope, hash).await?.unwrap_or(Claim::InProgress)),
        Err(error) if is_lock_timeout(&error) => Ok(Claim::InProgress),
        Err(error) => Err(error),
    }
}

/// Stores the outcome, in the transaction that claimed the key.
pub async fn complete(
    connection: &mut PgConnection,
    scope: &Scope<'_>,
    response: &impl Serialize,
) -> Result<(), sqlx::Error> {
    let response = serde_json::to_value(response).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let done = sqlx::query(
        "UPDATE idempotency_key SET response = $4
         WHERE principal = $1 AND operation = $2 AND key = $3 AND response IS NULL",
    )
    .bind(scope.principal)
    .bind(scope.operation)
    .bind(scope.key)
    .bind(response)
    .execute(connection)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// Days for which a repeat with the same key answers the same.
const KEY_DAYS: i32 = 30;

/// Forgets the keys that nobody repeats any more; tells how many went.
pub async fn forget(pool: &PgPool) -> Result<u64, sqlx::Error> {
    in_batches(|limit| purge(pool, limit)).await
}

async fn purge(pool: &PgPool, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "DELETE FROM idempotency_key WHERE (principal, operation, key) IN (
             SELECT principal, operation, key FROM idempotency_key
             WHERE created_at < now() - make_interval(days => $1) LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(KEY_DAYS)
    .bind(limit)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .as_deref()
        == Some("55P03")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_order_of_fields_makes_no_difference_but_values_do() {
        let a = json!({"cart": "c", "lines": [{"sku": "x", "n": 1}]});
        let b = json!({"lines": [{"n": 1, "sku": "x"}], "cart": "c"});
        let c = json!({"lines": [{"n": 2, "sku": "x"}], "cart": "c"});
        assert_eq!(request_hash(&a), request_hash(&b));
        assert_ne!(request_hash(&a), request_hash(&c));
        assert_ne!(request_hash(&json!(["a", "b"])), request_hash(&json!(["b", "a"])));
    }

    proptest! {
        #[test]
        fn different_pairs_hash_differently(a in ".{0,8}", b in ".{0,8}", c in ".{0,8}", d in ".{0,8}") {
            prop_assume!((&a, &b) != (&c, &d));
            prop_assert_ne!(request_hash(&json!({"k": a, "l": b})), request_hash(&json!({"k": c, "l": d})));
        }
    }
}
