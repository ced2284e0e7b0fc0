//! Finds or gets Apollo Router: PATH, the user's cache, the official release, or a build from source.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::stack::Progress;
use crate::{find, install};

/// The version everything here is made for; the composition library has the same.
pub const VERSION: &str = "2.17.0";

/// The router of this machine, without installing anything.
pub fn find() -> Option<PathBuf> {
    let cached = cache("router").map(|folder| folder.join("bin/router"));
    find::program("router")
        .into_iter()
        .chain(cached)
        .find(|program| version(program).is_some_and(is_usable))
}

/// The router, installed into the user's cache when there is none.
pub fn ensure(progress: &dyn Progress) -> Result<PathBuf> {
    if let Some(program) = find() {
        return Ok(program);
    }
    let folder = cache("router").context("there is no home folder to keep the router in: HOME is not set")?;
    let what = format!("getting Apollo Router {VERSION}");
    progress.begin(&what);
    let downloaded = download(&folder);
    progress.end(&what);
    if downloaded.is_err() {
        build(&folder, progress)?;
    }
    find().context("the router was installed and does not run")
}

/// Where a program called `name` is kept for this user.
pub(crate) fn cache(name: &str) -> Option<PathBuf> {
    let base = std::env::var_os("MERCATO_CACHE").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mercato"));
    Some(base.or_else(home)?.join(name))
}

/// What the program says about itself. Another program of that name says something else or fails.
fn version(program: &Path) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn is_usable(version: String) -> bool {
    let number = version.rsplit(' ').next().unwrap_or_default();
    let mut parts = number.trim_start_matches('v').split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(2)), Some(Ok(minor))) if minor >= 17)
}

fn platform() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-unknown-linux-gnu"),
        ("linux", "aarch64") => Some("aarch64-unknown-linux-gnu"),
        ("macos", "aarch64") => Some("aarch64-apple-darwin"),
        ("macos", "x86_64") => Some("x86_64-apple-darwin"),
        _ => None,
    }
}

/// The official release: an archive with `dist/router` inside.
fn download(folder: &Path) -> Result<()> {
    let platform = platform().context("no release for this machine")?;
    let url = format!(
        "https://github.com/apollographql/router/releases/download/v{VERSION}/router-v{VERSION}-{platform}.tar.gz"
    );
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).with_context(|| bin.display().to_string())?;
    let archive = folder.join("router.tar.gz");
    let limits = ["-fsSL", "--connect-timeout", "10", "--max-time", "600", "-o"];
    run(Command::new("curl").args(limits).arg(&archive).arg(&url))?;
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(&bin)
        .args(["--strip-components", "1"]))?;
    std::fs::remove_file(&archive).with_context(|| archive.display().to_string())?;
    match version(&bin.join("router")) {
        Some(_) => Ok(()),
        None => bail!("the released router does not run on this machine"),
    }
}

/// Twenty minutes or more; cargo shows its own progress.
fn build(folder: &Path, progress: &dyn Progress) -> Result<()> {
    progress.begin("build tools for the router");
    let tools = install::ensure_program("protoc", "protobuf-compiler")
        .and_then(|()| {
            install::ensure(
                "Protocol Buffers' own messages",
                "libprotobuf-dev",
                has_well_known_types,
            )
        })
        .and_then(|()| install::ensure_program("cmake", "cmake"));
    progress.end("build tools for the router");
    tools?;
    install::from_source("apollo-router", VERSION, &[], folder)
}

/// The messages that the router's own ones import. Debian has them in another package than the compiler.
fn has_well_known_types() -> bool {
    let beside = find::program("protoc").and_then(|protoc| Some(protoc.parent()?.parent()?.join("include")));
    let folders = beside
        .into_iter()
        .chain(["/usr/include".into(), "/usr/local/include".into()]);
    folders
        .map(|folder: PathBuf| folder.join("google/protobuf/timestamp.proto"))
        .any(|file| file.is_file())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| name.clone())?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_router_of_the_right_age_is_used() {
        assert!(is_usable("2.17.0".to_owned()));
        assert!(is_usable("Apollo Router v2.18.3".to_owned()));
        assert!(!is_usable("1.61.0".to_owned()));
        assert!(!is_usable("router from another vendor".to_owned()));
    }
}
