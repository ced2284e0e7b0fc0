//! Programs with crash points and seeded bugs, in a folder of their own beside the ordinary ones.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// Services that know crash points.
const ARMED: [&str; 3] = ["order", "payment", "inventory"];
/// What else the system consists of.
const ORDINARY: [&str; 4] = ["auth", "product", "cart", "psp-sandbox"];

/// Whether a campaign of `cargo xtask faults` needs them.
pub(crate) fn needed(campaign: &[String]) -> bool {
    let name = campaign.iter().find(|word| !word.starts_with('-'));
    name.is_some_and(|name| ["matrix", "bugs"].contains(&name.as_str()))
}

/// Builds them into `target/faults`, and leaves ordinary ones in the usual place.
pub(crate) fn build() -> Result<PathBuf> {
    let folder = workspace::target_folder()?.join("faults");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let features: Vec<String> = ARMED.iter().map(|service| format!("{service}/faults")).collect();
    let mut command = workspace::cargo(&["build", "--features", &features.join(",")])?;
    command.args(ARMED.iter().flat_map(|service| ["-p", service]));
    workspace::must(&mut command)?;
    copy(&ARMED, &folder)?;
    workspace::build(false)?;
    copy(&ORDINARY, &folder)?;
    Ok(folder)
}

/// Cargo links programs to where it puts them: a copy stays what it is.
fn copy(programs: &[&str], folder: &Path) -> Result<()> {
    for program in programs {
        let built = workspace::binaries(false)?.join(program);
        let copy = folder.join(program);
        // A running program can't be written to, but it can be replaced.
        if copy.exists() {
            std::fs::remove_file(&copy).with_context(|| copy.display().to_string())?;
        }
        std::fs::copy(&built, &copy).with_context(|| built.display().to_string())?;
    }
    Ok(())
}
