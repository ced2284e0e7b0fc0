//! Checks of everything that is deployed: pure rules over rendered manifests, and the tools that render them.
//!
//! Must not know a cluster. `tests/main.rs` is the suite; `cargo xtask test deploy` gets the tools and runs it.

pub mod metrics;
pub mod network;
pub mod objects;
pub mod policy;
pub mod references;
pub mod render;
pub mod tools;
pub mod variables;

use std::path::{Path, PathBuf};

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What runs beside them: the sandboxes, and who audits the books.
pub const COMPANIONS: [&str; 3] = [
    dev_stack::stack::SANDBOX,
    dev_stack::stack::MAIL,
    dev_stack::stack::AUDITOR,
];

/// The environments there is an overlay and a values file for.
pub const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];
