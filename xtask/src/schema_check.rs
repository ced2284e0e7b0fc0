//! `cargo xtask schema-check`: judges the graph of this checkout against an earlier revision.
//!
//! The judging is the composer's; here its inputs are gathered. It is built and run only when one of them has changed
//! since the last time all was well.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::{compose, sdl, workspace};

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// The revision to compare with; else where this branch left main, or on main the commit before.
    #[arg(long)]
    base: Option<String>,
    /// Where the report goes, besides the terminal.
    #[arg(long)]
    report: Option<PathBuf>,
    /// First write what is generated: SDLs, supergraphs, query plans, manifests. Review it and commit it.
    #[arg(long)]
    accept: bool,
    /// Check even when nothing seems to have changed.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.accept {
        sdl::write_all()?;
        compose::compose(false)?;
    }
    let stale = sdl::stale()?;
    let base = base(arguments.base.as_deref())?;
    let seen = fingerprint(base.as_ref())?;
    let known = workspace::target_folder()?.join("schema-check");
    let is_known = std::fs::read_to_string(known.join("passed")).is_ok_and(|passed| passed == seen);
    let report = known.join("report.md");
    let code = if is_known && stale.is_empty() && !arguments.accept && !arguments.force {
        print!("{}", std::fs::read_to_string(&report)?);
        println!("\nnothing has changed since that report");
        ExitCode::SUCCESS
    } else {
        std::fs::create_dir_all(&known).with_context(|| known.display().to_string())?;
        let passed = check(arguments, base.as_ref(), &stale, &report)?;
        if passed {
            std::fs::write(known.join("passed"), fingerprint(base.as_ref())?)?;
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    };
    if let Some(wanted) = &arguments.report {
        std::fs::copy(&report, wanted).with_context(|| wanted.display().to_string())?;
    }
    Ok(code)
}

/// For the stage of the same name: the check, and the second composer where there is node.
pub(crate) fn test() -> Result<()> {
    ensure!(
        run(&Arguments::default())? == ExitCode::SUCCESS,
        "the report names the reasons"
    );
    second_composer()
}

/// The Guild's composer must make the same graphs.
fn second_composer() -> Result<()> {
    if !crate::web::has_node() {
        bail!("node 20 or later and npm are needed for the second composer");
    }
    let folder = workspace::root().join("tests/node");
    if !folder
        .join("node_modules/@theguild/federation-composition")
        .is_dir()
    {
        let words = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
        workspace::must(Command::new("npm").args(words).current_dir(&folder))?;
    }
    workspace::must(Command::new("node").arg("compose.mjs").current_dir(&folder))
}

/// An earlier revision.
struct Base {
    /// As people name it.
    name: String,
    commit: String,
}

fn base(wanted: Option<&str>) -> Result<Option<Base>> {
    if let Some(name) = wanted {
        let commit = git(&["rev-parse", "--verify", &format!("{name}^{{commit}}")])
            .with_context(|| format!("there is no revision {name} here"))?;
        return Ok(Some(Base {
            name: name.to_owned(),
            commit,
        }));
    }
    let Ok(head) = git(&["rev-parse", "HEAD"]) else {
        return Ok(None);
    };
    for main in ["origin/main", "main"] {
        if let Ok(commit) = git(&["merge-base", "HEAD", main])
            && commit != head
        {
            let name = format!("{main} at {}", &commit[..commit.len().min(10)]);
            return Ok(Some(Base { name, commit }));
        }
    }
    // A shallow clone has none.
    Ok(git(&["rev-parse", "--verify", "--quiet", "HEAD^"])
        .ok()
        .map(|commit| Base {
            name: format!("the commit before, {}", &commit[..commit.len().min(10)]),
            commit,
        }))
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(workspace::root())
        .output()
        .context("git")?;
    ensure!(
        output.status.success(),
        "git {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

fn check(arguments: &Arguments, base: Option<&Base>, stale: &[String], report: &Path) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let mut command = compose::composer()?;
    command.arg("check").arg("--report").arg(report);
    if let Some(base) = base {
        check_out(base, folder.path())?;
        command
            .arg("--base")
            .arg(folder.path())
            .args(["--base-name", &base.name]);
    }
    if arguments.accept {
        command.arg("--accept");
    }
    for name in stale {
        command.args(["--stale", name]);
    }
    // Absent, it was not judged: a report of another time must not stand for this one.
    if report.is_file() {
        std::fs::remove_file(report)?;
    }
    let status = command.status().context("the composer")?;
    ensure!(report.is_file(), "the composer made no report: {status}");
    Ok(status.success())
}

/// What the graph was made of then.
fn check_out(base: &Base, folder: &Path) -> Result<()> {
    let listed = git(&[
        "ls-tree",
        "-r",
        "--name-only",
        &base.commit,
        "--",
        "supergraph.yaml",
        "router",
        "subgraphs",
    ])?;
    let wanted = |path: &&str| {
        path.ends_with("schema.graphql") || *path == "supergraph.yaml" || *path == "router/plans.txt"
    };
    for path in listed.lines().filter(wanted) {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let text = git(&["show", &format!("{}:{path}", base.commit)])?;
        std::fs::write(&file, text + "\n").with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Where the inputs of the check lie, and the endings of their names.
const FOLDERS: [&str; 7] = [
    "router",
    "subgraphs",
    "web-demo/src",
    "web-demo/e2e",
    "crates",
    "tests",
    "docs",
];
const ENDINGS: [&str; 7] = ["graphql", "yaml", "txt", "json", "md", "rhai", "rs"];

fn fingerprint(base: Option<&Base>) -> Result<String> {
    let root = workspace::root();
    let mut parts = vec![
        base.map(|base| base.commit.clone())
            .unwrap_or_default()
            .into_bytes(),
    ];
    let mut files = vec![root.join("supergraph.yaml"), root.join("README.md")];
    for folder in FOLDERS {
        list(&root.join(folder), &mut files)?;
    }
    files.sort();
    for file in files {
        parts.push(file.to_string_lossy().into_owned().into_bytes());
        parts.push(std::fs::read(&file).unwrap_or_default());
    }
    Ok(workspace::fingerprint(&parts))
}

/// Documents everywhere, and of programs the composer alone: what the others say is in the SDLs.
fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if path.is_dir() {
        if name == "node_modules" || name == "data" {
            return Ok(());
        }
        for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
            list(&entry?.path(), files)?;
        }
        return Ok(());
    }
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let is_program = ending == "rs" && !path.components().any(|part| part.as_os_str() == "composer");
    if ENDINGS.contains(&ending.as_ref()) && !is_program {
        files.push(path.to_path_buf());
    }
    Ok(())
}
