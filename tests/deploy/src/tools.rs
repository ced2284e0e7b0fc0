//! Programs the checks call: those of PATH, else those `cargo xtask test deploy` put into its cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Where fetched programs, schemas and definitions are kept.
pub fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("MERCATO_CACHE").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mercato"));
    Some(base.or_else(home)?.join("tools"))
}

/// A program, if this machine has it. Ours goes first: its version is the one this was made with.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    cache()
        .map(|folder| folder.join("bin"))
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// JSON schemas of one Kubernetes version (`v1.35.0`), if they were fetched.
pub fn schemas(version: &str) -> Option<PathBuf> {
    Some(cache()?.join("schemas").join(version)).filter(|folder| folder.is_dir())
}

/// Definitions of custom resources, if they were fetched.
pub fn definitions() -> Option<PathBuf> {
    Some(cache()?.join("crds")).filter(|folder| folder.is_dir())
}

/// Runs a program and returns what it says; its failure is an error with what it complains of.
pub fn run(command: &mut Command) -> Result<String> {
    let name = Path::new(command.get_program())
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let output = command.stdin(Stdio::null()).output().context(name.clone())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}\n{said}{complaint}", output.status);
    }
    Ok(said)
}
