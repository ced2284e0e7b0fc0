//! Services written for node: built when what they are made of has changed, and put beside the programs that cargo
//! builds, so that everything starts them like any other.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use dev_stack::Progress;
use roster::Language;

use crate::show::Steps;
use crate::{web, workspace};

/// What a built one is made of, relative to its folder.
const INPUTS: [&str; 4] = ["package-lock.json", "src", "tsconfig.json", "tsconfig.build.json"];

/// Builds what changed and puts a program for each into `binaries`; says why not, where there is no node.
pub(crate) fn build(binaries: &Path) -> Result<()> {
    if !web::has_node() {
        println!(
            "Left out: {}. Node 20 or later and npm are not installed.",
            services().join(", ")
        );
        return Ok(());
    }
    for name in services() {
        ensure(name)?;
        let program = binaries.join(name);
        let main = folder(name).join("dist/main.js");
        // `exec`: whoever stops the program stops node.
        let text = format!("#!/bin/sh\nexec node '{}'\n", main.display());
        std::fs::create_dir_all(binaries)?;
        std::fs::write(&program, text).with_context(|| program.display().to_string())?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Services that are npm packages.
fn services() -> Vec<&'static str> {
    let packages = roster::all()
        .iter()
        .filter(|service| service.language == Language::Typescript);
    packages.map(|service| service.name.as_str()).collect()
}

/// Whether the subgraph of that name is an npm package.
pub(crate) fn is_service(name: &str) -> bool {
    services().contains(&name)
}

/// The SDL of a service, or nothing if it is none of these.
pub(crate) fn sdl(name: &str) -> Result<Option<Command>> {
    if !is_service(name) {
        return Ok(None);
    }
    needs_node()?;
    ensure(name)?;
    Ok(Some(npm(name, &["run", "--silent", "sdl"])))
}

/// All that can be tried of the services: types, style, units, and against real stores. `run` runs each program and
/// counts its tests.
pub(crate) fn check(run: &mut dyn FnMut(&mut Command) -> Result<()>) -> Result<()> {
    needs_node()?;
    workspace::build_besides(&[("dev-stack", "mercato-stores")])?;
    let stores = workspace::binaries(false)?.join("mercato-stores");
    for name in services() {
        packages(name)?;
        for script in ["typecheck", "lint", "build", "test", "test:it"] {
            let mut command = npm(name, &["run", "--silent", script]);
            run(command
                .env("NO_COLOR", "1")
                .env("LOG", "off")
                .env("MERCATO_STORES", &stores))?;
        }
    }
    Ok(())
}

fn needs_node() -> Result<()> {
    if web::has_node() {
        return Ok(());
    }
    bail!(
        "node 20 or later and npm are needed for {}",
        services().join(", ")
    )
}

fn folder(name: &str) -> PathBuf {
    workspace::root().join("subgraphs").join(name)
}

fn npm(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder(name));
    command
}

/// Installs what package-lock.json names, if it names other things than last time.
fn packages(name: &str) -> Result<()> {
    let folder = folder(name);
    let wanted = web::fingerprint(&folder, &["package-lock.json"])?;
    once(&folder.join("node_modules/.installed-lock"), wanted, || {
        step(name, "packages", &mut npm(name, &["ci"]))
    })
}

fn ensure(name: &str) -> Result<()> {
    packages(name)?;
    let folder = folder(name);
    let wanted = web::fingerprint(&folder, &INPUTS)?;
    let mark = folder.join("node_modules/.built");
    if !folder.join("dist/main.js").is_file() {
        drop(std::fs::remove_file(&mark));
    }
    once(&mark, wanted, || {
        step(name, "program", &mut npm(name, &["run", "build"]))
    })
}

fn once(mark: &Path, wanted: u64, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if web::is_marked(mark, wanted) {
        return Ok(());
    }
    work()?;
    std::fs::write(mark, wanted.to_string()).with_context(|| mark.display().to_string())
}

fn step(name: &str, what: &str, command: &mut Command) -> Result<()> {
    let (steps, what) = (Steps::new(), format!("{what} of {name}"));
    steps.begin(&what);
    let outcome = web::quietly(command);
    steps.end(&what);
    outcome
}
