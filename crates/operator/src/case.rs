//! One order: what its database knows of it, for a person who has to decide.

use std::fmt;

use anyhow::{Context, Result, bail};
use contracts::{EventId, OrderId};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::case_sql::{EVENT, ORDER, PARTS};
use crate::text::section;

/// How people name an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// `ord_...`, or the bare UUID.
    Id(Uuid),
    /// `M-100012`.
    Number(i64),
}

impl std::str::FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(id) = text.parse::<OrderId>() {
            return Ok(Self::Id(id.uuid()));
        }
        if let Ok(id) = text.parse::<Uuid>() {
            return Ok(Self::Id(id));
        }
        let number = text
            .strip_prefix("M-")
            .or_else(|| text.strip_prefix("m-"))
            .and_then(|digits| digits.parse().ok());
        number
            .map(Self::Number)
            .with_context(|| format!("{text} is no order: give its id (ord_...) or its number (M-100012)"))
    }
}

/// Why an order calls for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// `RETRIES` or `CONTRADICTION`.
    pub why: String,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Everything about one order.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: OrderId,
    /// Set when a person should look.
    pub attention: Option<Attention>,
    /// Whether it is final.
    pub is_final: bool,
    heading: String,
    parts: Vec<(usize, Vec<Vec<String>>)>,
}

/// The id of a named order.
pub async fn find(pool: &PgPool, name: Name) -> Result<OrderId> {
    Ok(read(pool, name).await?.id)
}

/// Reads an order and all that belongs to it, in one snapshot.
pub async fn read(pool: &PgPool, name: Name) -> Result<Case> {
    let (id, number) = match name {
        Name::Id(id) => (Some(id), None),
        Name::Number(number) => (None, Some(number)),
    };
    let mut tx = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(&mut *tx)
        .await?;
    let order = sqlx::query(ORDER).bind(id).bind(number);
    let Some(order) = order.fetch_optional(&mut *tx).await? else {
        bail!("there is no such order");
    };
    let uuid: Uuid = order.try_get(0)?;
    let id = OrderId::from_uuid(uuid);
    let mut parts = Vec::new();
    for (part, (_, _, sql)) in PARTS.iter().enumerate() {
        let mut rows: Vec<Vec<String>> = if sql.contains("$2") {
            sqlx::query_scalar(*sql)
                .bind(uuid)
                .bind(id.to_string())
                .fetch_all(&mut *tx)
                .await?
        } else {
            sqlx::query_scalar(*sql).bind(uuid).fetch_all(&mut *tx).await?
        };
        rows.iter_mut().flatten().for_each(as_event_id);
        parts.push((part, rows));
    }
    tx.rollback().await?;
    let attention: Option<String> = order.try_get(10)?;
    let last_error: Option<String> = order.try_get(11)?;
    Ok(Case {
        id,
        attention: attention.map(|why| Attention { why, last_error }),
        is_final: order.try_get(8)?,
        heading: heading(&order, id)?,
        parts,
    })
}

/// Events are named as `events replay` takes them.
fn as_event_id(cell: &mut String) {
    if let Some(id) = cell.strip_prefix(EVENT).and_then(|id| id.parse().ok()) {
        *cell = EventId::from_uuid(id).to_string();
    }
}

fn heading(order: &sqlx::postgres::PgRow, id: OrderId) -> Result<String, sqlx::Error> {
    let number: i64 = order.try_get(1)?;
    let (status, public): (String, String) = (order.try_get(2)?, order.try_get(3)?);
    let (version, total): (i64, i64) = (order.try_get(4)?, order.try_get(5)?);
    let currency: String = order.try_get(6)?;
    let reason: Option<String> = order.try_get(7)?;
    let age: i64 = order.try_get(9)?;
    let correlation: Option<String> = order.try_get(12)?;
    Ok(format!(
        "Order M-{number}  {id}\n  {status}{} (buyers see {public}), version {version}, {total} minor units {currency}, placed {age} s ago\n  correlation id {}\n",
        reason.map(|reason| format!(", {reason}")).unwrap_or_default(),
        correlation.as_deref().unwrap_or("unknown"),
    ))
}

impl Attention {
    fn advice(&self) -> &'static str {
        match self.why.as_str() {
            "RETRIES" => "a call stays unanswered; it goes on being made. Repair what it calls, then retry.",
            "CONTRADICTION" => {
                "facts that should be impossible together. Read History and Events in before you do anything."
            }
            _ => "this program does not know the reason.",
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.heading)?;
        match &self.attention {
            None => writeln!(f, "  needs nobody")?,
            Some(attention) => {
                writeln!(f, "  NEEDS A PERSON: {}: {}", attention.why, attention.advice())?;
                let last = attention.last_error.as_deref().unwrap_or("not recorded");
                writeln!(f, "  last error: {}", crate::text::one_line(last, 400))?;
            }
        }
        for (part, rows) in &self.parts {
            let (title, head, _) = &PARTS[*part];
            write!(f, "{}", section(title, head, rows))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_named_by_id_or_number() {
        let id = OrderId::from_uuid("00000000-0000-7000-8000-000000000001".parse().unwrap());
        assert_eq!(id.to_string().parse::<Name>().unwrap(), Name::Id(id.uuid()));
        assert_eq!(
            id.uuid().to_string().parse::<Name>().unwrap(),
            Name::Id(id.uuid())
        );
        assert_eq!("M-100012".parse::<Name>().unwrap(), Name::Number(100_012));
        assert_eq!("m-7".parse::<Name>().unwrap(), Name::Number(7));
        for wrong in ["", "100012", "M-", "M-x", "pay_01h455vb4pex5vsknk084sn02q"] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }
}
