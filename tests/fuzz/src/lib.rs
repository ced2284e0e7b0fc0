//! Feeds broken input to whatever reads input from outside: no input may make it panic.
//!
//! Owns the targets, their seeds in `corpus/`, and a small fuzzer that runs on a stable compiler. It changes inputs it
//! knows and keeps each one that does something new: that reaches other code, where the compiler counts it (`cargo xtask
//! fuzz`), or that is refused for another reason. Each panic's input is kept beside the seeds, so that the unit tests try
//! it ever after. Must not know what an input means.

mod coverage;
mod engine;
mod mutate;
mod targets;

pub use engine::{Engine, Report};
pub use targets::{TARGETS, Target};
