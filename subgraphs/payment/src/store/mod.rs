//! The payment database: SQL and the translation of rows into the domain. No rule lives here.

pub(crate) mod ledger;
pub(crate) mod payment;
pub(crate) mod psp_event;
pub(crate) mod refund;

use std::time::Duration;

use contracts::{Currency, Money};

/// What a row that no code of this crate could have written is reported as.
fn corrupt(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("corrupt row: {what}").into())
}

fn money(amount_minor: i64, currency: &str) -> Result<Money, sqlx::Error> {
    let currency: Currency = currency.parse().map_err(|_| corrupt("currency"))?;
    Ok(Money::new(amount_minor, currency))
}

fn seconds(after: Option<Duration>) -> Option<f64> {
    after.map(|after| after.as_secs_f64())
}

/// An update must have found its row.
fn one(result: &sqlx::postgres::PgQueryResult) -> Result<(), sqlx::Error> {
    if result.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}
