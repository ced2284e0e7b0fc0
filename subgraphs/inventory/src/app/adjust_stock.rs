//! Staff receives units or writes them off.

use contracts::{Sku, UserId};
use pg_kit::idempotency::{Scope, request_hash};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};

use super::Error;
use super::once::{Begun, Once, begin, finish};
use super::transaction::retrying;
use crate::domain::Refusal;
use crate::domain::stock::{Level, MAX_QUANTITY, is_sku};
use crate::store::stock;

/// A change of stock by hand.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Adjustment {
    pub(crate) sku: Sku,
    /// Units to add, or, when negative, to take away.
    pub(crate) delta: i32,
    pub(crate) reason: String,
}

/// What came of it; stored, so that a repeat answers the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Adjusted {
    Level(Level),
    InsufficientStock,
    UnknownSku,
}

/// Receives units (making the SKU known if need be), or writes off available ones.
pub(crate) async fn adjust_stock(
    pool: &PgPool,
    by: UserId,
    key: &str,
    asked: Adjustment,
) -> Result<Once<Adjusted>, Error> {
    check(&asked)?;
    let principal = by.to_string();
    let scope = Scope {
        principal: &principal,
        operation: "adjustStock",
        key,
    };
    let hash = request_hash(&asked);
    retrying(|| async {
        let mut tx = match begin(pool, &scope, &hash).await? {
            Begun::Fresh(tx) => tx,
            Begun::Settled(settled) => return Ok(settled),
        };
        let answer = apply(&mut tx, &asked).await?;
        finish(tx, &scope, answer).await
    })
    .await
}

fn check(asked: &Adjustment) -> Result<(), Refusal> {
    let invalid = |text: String| Err(Refusal::Invalid(text));
    if !is_sku(&asked.sku) {
        return invalid("a SKU is 1 to 64 of A-Z a-z 0-9 . _ -".to_owned());
    }
    if asked.delta == 0 || asked.delta.unsigned_abs() > MAX_QUANTITY.unsigned_abs() {
        return invalid(format!("a change is 1 to {MAX_QUANTITY} units, up or down"));
    }
    if asked.reason.trim().is_empty() || asked.reason.len() > 500 || asked.reason.contains('\0') {
        return invalid("a reason has 1 to 500 characters".to_owned());
    }
    Ok(())
}

async fn apply(conn: &mut PgConnection, asked: &Adjustment) -> Result<Adjusted, Error> {
    if asked.delta > 0 {
        let received = stock::receive(conn, &asked.sku, asked.delta, &asked.reason).await;
        return received.map(Adjusted::Level).map_err(too_many);
    }
    if let Some(level) = stock::withdraw(conn, &asked.sku, -asked.delta, &asked.reason).await? {
        return Ok(Adjusted::Level(level));
    }
    let known = !stock::levels(conn, std::slice::from_ref(&asked.sku))
        .await?
        .is_empty();
    Ok(if known {
        Adjusted::InsufficientStock
    } else {
        Adjusted::UnknownSku
    })
}

fn too_many(fault: sqlx::Error) -> Error {
    match pg_kit::constraint(&fault) {
        Some("stock_received_range") => {
            Refusal::Invalid("a SKU has at most 1000000000 units".to_owned()).into()
        }
        _ => fault.into(),
    }
}
