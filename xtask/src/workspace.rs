//! Where things are in this checkout, and how it is built. Must not know any command.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use dev_stack::stack::RouterFiles;

use crate::node;

/// Programs that are built before the system starts, beside the services.
const PROGRAMS: [&str; 7] = [
    "psp-sandbox",
    "mail-sandbox",
    "edge",
    "shopper",
    "auditor",
    "operator",
    "timekeeper",
];

/// The checkout: what cargo says when it runs us. Where this was built says less: two checkouts may share a target
/// folder, and a checkout may be moved.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Data of `cargo xtask up`: in the checkout, or where `MERCATO_DATA` says, for a second system beside the first.
pub(crate) fn data_folder() -> PathBuf {
    match std::env::var_os("MERCATO_DATA") {
        Some(folder) => root().join(folder),
        None => root().join(".mercato"),
    }
}

/// Cargo's target folder: the one this very program was built into.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("where am I?")?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder
        .context("this program is not in a target folder")?
        .to_path_buf())
}

/// Where cargo puts programs.
pub(crate) fn binaries(release: bool) -> Result<PathBuf> {
    Ok(target_folder()?.join(if release { "release" } else { "debug" }))
}

/// `cargo` in the checkout, with the same target folder.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target_folder()?);
    // Set by the cargo that runs us; they would make every crate look changed.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Runs a command with our own output; its failure is an error.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    let name = shown(command);
    let status = command.status().with_context(|| name.clone())?;
    if !status.success() {
        bail!("{name}: {status}");
    }
    Ok(())
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program.to_string_lossy().into_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Builds the services and tools; cargo shows its progress and knows what is up to date. Where there is no node, what
/// is written for it is left out.
pub(crate) fn build(release: bool) -> Result<()> {
    build_programs(&root(), &[], release)?;
    node::build(&binaries(release)?)
}

/// Builds programs of development (package and program) in the same breath as the services. By themselves they would
/// choose other features of what all share, and have all of that built once more.
pub(crate) fn build_besides(programs: &[(&str, &str)]) -> Result<()> {
    build_besides_in(&root(), programs)
}

/// The same in another checkout.
pub(crate) fn build_besides_in(root: &Path, programs: &[(&str, &str)]) -> Result<()> {
    build_programs(root, programs, false)
}

fn build_programs(root: &Path, besides: &[(&str, &str)], release: bool) -> Result<()> {
    let mut command = cargo(&["build"])?;
    command.current_dir(root);
    let services = roster::SERVICES
        .into_iter()
        .filter(|service| !node::is_service(service));
    let usual = services.chain(PROGRAMS).map(|program| (program, program));
    let watch = [("auditor", "auditor-watch")];
    for (package, program) in usual.chain(watch).chain(besides.iter().copied()) {
        command.args(["-p", package, "--bin", program]);
    }
    if release {
        command.arg("--release");
    }
    must(&mut command)
}

/// The routers' committed files and their program.
pub(crate) fn router_files(program: PathBuf) -> RouterFiles {
    RouterFiles::in_folder(program, &root().join("router"))
}

/// Names of the subgraphs, sorted.
pub(crate) fn subgraphs() -> Result<Vec<String>> {
    let folder = root().join("subgraphs");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if ["Cargo.toml", "package.json"]
            .iter()
            .any(|manifest| entry.path().join(manifest).is_file())
        {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Tells contents apart: FNV-1a, 64 bits, since the standard library promises no hash that stays the same between
/// releases.
pub(crate) fn fingerprint(parts: &[Vec<u8>]) -> String {
    let start: u64 = 0xcbf2_9ce4_8422_2325;
    let hash = parts
        .iter()
        .flat_map(|part| part.iter().copied().chain([0]))
        .fold(start, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_tells_parts_apart_and_stays() {
        assert_eq!(fingerprint(&[]), "cbf29ce484222325");
        assert_ne!(
            fingerprint(&[b"ab".to_vec(), b"c".to_vec()]),
            fingerprint(&[b"a".to_vec(), b"bc".to_vec()])
        );
    }
}
