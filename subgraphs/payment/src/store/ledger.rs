//! The ledger: append only.

use chrono::{DateTime, Utc};
use contracts::{Money, PaymentId, RefundId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{Entry, capture_entries, refund_entries};

/// Books a capture; a second one of the payment is an error (23505).
pub(crate) async fn book_capture(
    conn: &mut PgConnection,
    payment: PaymentId,
    amount: Money,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    book(
        conn,
        payment.uuid(),
        "CAPTURE",
        payment,
        &capture_entries(amount),
        amount,
        at,
    )
    .await
}

/// Books a refund; a second booking of it is an error (23505).
pub(crate) async fn book_refund(
    conn: &mut PgConnection,
    refund: RefundId,
    payment: PaymentId,
    amount: Money,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    book(
        conn,
        refund.uuid(),
        "REFUND",
        payment,
        &refund_entries(amount),
        amount,
        at,
    )
    .await
}

async fn book(
    conn: &mut PgConnection,
    txn: Uuid,
    kind: &str,
    payment: PaymentId,
    entries: &[Entry; 2],
    amount: Money,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let accounts: Vec<String> = entries
        .iter()
        .map(|(account, _)| account.as_str().to_owned())
        .collect();
    let amounts: Vec<i64> = entries.iter().map(|(_, minor)| *minor).collect();
    sqlx::query!(
        "INSERT INTO ledger_entry (txn_id, account, kind, payment_id, amount_minor, currency, booked_at)
         SELECT $1, account, $2, $3, amount_minor, $4, $5
         FROM unnest($6::text[], $7::bigint[]) AS entry (account, amount_minor)",
        txn,
        kind,
        payment.uuid(),
        amount.currency.as_str(),
        at,
        &accounts,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}
