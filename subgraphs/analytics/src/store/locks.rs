//! Who may write the sums.
//!
//! Every event changes the row of its hour, so writers would wait for each other in any case, each holding rows that
//! another wants. One writer at a time costs no more, and no two can ever wait for each other.

use sqlx::PgConnection;

/// Held by whoever writes the sums.
const WRITER: i64 = 0x616e_616c_7974_0001;
/// Held shared by all writers, and alone by a rebuild, which may take longer than a writer should wait.
const REBUILD: i64 = 0x616e_616c_7974_0002;
/// Held by a rebuild from before its record to its end.
const RUNNING: i64 = 0x616e_616c_7974_0003;

/// Waits to be the writer, until the transaction ends; false if a rebuild is under way.
pub(crate) async fn write(tx: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT CASE WHEN pg_try_advisory_xact_lock_shared($1) THEN pg_advisory_xact_lock($2) IS NOT NULL
                       ELSE false END AS "writer!""#,
        REBUILD,
        WRITER
    )
    .fetch_one(tx)
    .await
}

/// Becomes the only rebuild, until the transaction ends; false if there is one.
pub(crate) async fn begin_rebuild(tx: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "only!""#, RUNNING)
        .fetch_one(tx)
        .await
}

/// Waits for the writers at work and keeps all others out, until the transaction ends. Statements may take longer from
/// here on.
pub(crate) async fn keep_writers_out(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT set_config('lock_timeout', '60s', true) AS "lock",
                  set_config('statement_timeout', '0', true) AS "statement",
                  set_config('idle_in_transaction_session_timeout', '120s', true) AS "idle""#
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock($1) IS NOT NULL AS "alone!""#,
        REBUILD
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}
