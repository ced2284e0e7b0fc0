//! How many statements fail, by what they do to which table.

use prometheus::IntCounterVec;
use service_kit::{metrics, statements};
use sqlx::Error;

/// In place of a statement's name where none is to blame, or none is known.
const NONE: &str = "none";

fn counter() -> IntCounterVec {
    metrics::counter(
        "sql_statement_errors_total",
        "Statements that failed, by what they do and the table they do it to, and how they failed.",
        &["statement", "kind"],
    )
}

/// Counts an error by its statement, and hands it on. sqlx's event of a statement does not say how it ended, so this
/// is called where errors leave a store: where they become an application's own, or where a worker gives up its turn.
/// An error that is an answer, such as a key that is there already, is not to be counted.
///
/// Call it before anything else is awaited, and once: see [`statements::ended_last`].
pub fn count_error(error: Error) -> Error {
    let kind = kind(&error);
    let ended = statements::ended_last();
    let statement = ended.filter(|_| is_of_a_statement(kind));
    let labels = [statement.as_deref().unwrap_or(NONE), kind];
    counter().with_label_values(&labels).inc();
    error
}

/// A rate needs a value before its first error.
pub(crate) fn exist() {
    for kind in ["connection", "pool"] {
        counter().with_label_values(&[NONE, kind]).inc_by(0);
    }
}

/// No statement is to blame for a connection that was lost, or never made, nor for values that were never sent.
fn is_of_a_statement(kind: &str) -> bool {
    !matches!(kind, "connection" | "pool" | "encode")
}

/// How it failed, in one of a few words.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::Database(error) => error.code().map_or("other", |code| kind_of_code(&code)),
        Error::RowNotFound => "absent",
        Error::Decode(_)
        | Error::ColumnDecode { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::TypeNotFound { .. } => "decode",
        Error::Encode(_) => "encode",
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => "pool",
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => "connection",
        _ => "other",
    }
}

/// After the tables of PostgreSQL's manual, "PostgreSQL Error Codes".
fn kind_of_code(code: &str) -> &'static str {
    match (code, code.get(..2).unwrap_or_default()) {
        ("40001", _) => "serialization",
        ("40P01", _) => "deadlock",
        ("55P03", _) => "lock_timeout",
        ("57014", _) => "timeout",
        // Too many connections; idle in a transaction for too long; the server goes, or starts; who are you?
        ("53300" | "25P03", _) | (_, "08" | "28" | "57") => "connection",
        (_, "23") => "constraint",
        (_, "22") => "data",
        // No such table or column, or not allowed: this program and the schema don't fit.
        (_, "42" | "3D" | "3F") => "schema",
        (_, "25" | "40") => "transaction",
        (_, "53" | "54" | "58") => "resources",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_few() {
        for (code, want) in [
            ("40001", "serialization"),
            ("40P01", "deadlock"),
            ("55P03", "lock_timeout"),
            ("57014", "timeout"),
            ("57P01", "connection"),
            ("08006", "connection"),
            ("53300", "connection"),
            ("28P01", "connection"),
            ("23505", "constraint"),
            ("22001", "data"),
            ("42P01", "schema"),
            ("25P02", "transaction"),
            ("40002", "transaction"),
            ("53100", "resources"),
            ("P0001", "other"),
            ("", "other"),
        ] {
            assert_eq!(kind_of_code(code), want, "{code}");
        }
        assert_eq!(kind(&Error::RowNotFound), "absent");
        assert_eq!(kind(&Error::PoolTimedOut), "pool");
        assert_eq!(kind(&Error::Decode("no such state".into())), "decode");
    }

    #[test]
    fn a_lost_connection_is_no_statements_fault() {
        assert!(is_of_a_statement("constraint") && is_of_a_statement("timeout"));
        assert!(!is_of_a_statement("connection") && !is_of_a_statement("pool"));
    }
}
