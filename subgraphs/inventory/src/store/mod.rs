//! All SQL of inventory. Knows tables and locks, no rules: what may happen is decided in `domain/`.

pub(crate) mod holds;
pub(crate) mod reservations;
pub(crate) mod stock;
