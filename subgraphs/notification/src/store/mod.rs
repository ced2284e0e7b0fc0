//! The notification database: the only place with SQL. Rows become domain types here; nothing else leaves.
//!
//! Instants of leases and retries are the database's, so that the clocks of replicas don't matter.

pub(crate) mod mails;
pub(crate) mod notifications;
pub(crate) mod orders;
pub(crate) mod preferences;
pub(crate) mod text;

use std::error::Error;

use contracts::Money;
use contracts::notification::NotificationKind;

use crate::domain::What;
use text::Stored;

/// A row that this version of the program can't read.
pub(crate) fn unreadable(error: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// What is told, as columns.
struct Parts {
    kind: &'static str,
    cancel_reason: Option<&'static str>,
    amount_minor: Option<i64>,
    currency: Option<String>,
}

impl Parts {
    fn of(what: &What) -> Self {
        Self {
            kind: what.kind().text(),
            cancel_reason: what.reason().map(text::Stored::text),
            amount_minor: what.amount().map(|amount| amount.amount_minor),
            currency: what.amount().map(|amount| amount.currency.to_string()),
        }
    }
}

/// What is told, from its columns.
fn what(
    kind: &str,
    cancel_reason: Option<&str>,
    amount_minor: Option<i64>,
    currency: Option<&str>,
) -> Result<What, sqlx::Error> {
    let reason = cancel_reason.map(Stored::read).transpose()?;
    let amount = match (amount_minor, currency) {
        (Some(minor), Some(currency)) => Some(Money::new(minor, currency.parse().map_err(unreadable)?)),
        _ => None,
    };
    What::try_from_parts(NotificationKind::read(kind)?, reason, amount).map_err(unreadable)
}
