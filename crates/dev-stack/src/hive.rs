//! Finds or builds Hive Router, the edge that federates subscriptions. Only for whoever asks for it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::install;
use crate::router::cache;
use crate::stack::Progress;

/// The version that `router/hive.yaml` is made for; the next one needs a newer compiler.
pub const VERSION: &str = "0.2.19";

/// The program in the user's cache, without installing anything. It does not tell its version: its folder does.
pub fn find() -> Option<PathBuf> {
    let program = folder()?.join("bin/hive_router");
    program.is_file().then_some(program)
}

/// The program, built into the user's cache when there is none: a quarter of an hour or more; cargo shows its own
/// progress.
pub fn ensure(progress: &dyn Progress) -> Result<PathBuf> {
    if let Some(program) = find() {
        return Ok(program);
    }
    let folder = folder().context("there is no home folder to keep Hive Router in: HOME is not set")?;
    let what = format!("building Hive Router {VERSION}");
    progress.begin(&what);
    // Without its page the build would run npm.
    let only = ["--features", "graphiql", "--bin", "hive_router"];
    let built = install::from_source("hive-router", VERSION, &only, &folder);
    progress.end(&what);
    built?;
    find().context("Hive Router was installed and is not there")
}

fn folder() -> Option<PathBuf> {
    cache(&format!("hive-{VERSION}"))
}
