//! Cart against a real Redis.
