//! Orders and the saga that carries them.

pub mod domain;
pub mod saga;
