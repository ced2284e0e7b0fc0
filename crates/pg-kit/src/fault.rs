//! What an error of the database means to the caller.

use sqlx::Error;

/// Whether the same statement with the same ids may be tried again: a deadlock, a serialization failure, a lock that
/// took too long, a lost connection. An error at COMMIT is unknown: retry it only behind an idempotency key.
pub fn is_retryable(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
        Error::Database(error) => error.code().is_some_and(|code| is_retryable_code(&code)),
        _ => false,
    }
}

fn is_retryable_code(code: &str) -> bool {
    // serialization_failure, deadlock_detected, lock_not_available, admin_shutdown and kin, connection exceptions,
    // too_many_connections.
    matches!(code, "40001" | "40P01" | "55P03" | "53300")
        || code.starts_with("57P0")
        || code.starts_with("08")
}

/// The constraint that a write violated, if it did.
pub fn constraint(error: &Error) -> Option<&str> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_passing_fault_from_a_lasting_one() {
        for code in ["40001", "40P01", "55P03", "57P01", "57P03", "08006", "53300"] {
            assert!(is_retryable_code(code), "{code}");
        }
        for code in ["23505", "23514", "42P01", "57014", "22001"] {
            assert!(!is_retryable_code(code), "{code}");
        }
        assert!(is_retryable(&Error::PoolTimedOut));
        assert!(!is_retryable(&Error::RowNotFound));
        assert_eq!(constraint(&Error::RowNotFound), None);
    }
}
