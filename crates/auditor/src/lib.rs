//! Checks the invariants of the saga over all databases.
