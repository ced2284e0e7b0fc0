//! The shop's page: built when what it is made of has changed. Needs node, and only for that.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, Page};
use dev_stack::{Lifetime, Progress, Settings, Stack, install, router, servers};

use crate::show::Steps;
use crate::{tools, workspace};

/// What the built page is made of, relative to the checkout.
const INPUTS: [&str; 11] = [
    "web-demo/graphiql",
    "web-demo/index.html",
    "web-demo/package.json",
    "web-demo/package-lock.json",
    "web-demo/public",
    "web-demo/scripts",
    "web-demo/src",
    "web-demo/tsconfig.json",
    "web-demo/vite.config.ts",
    "web-demo/vite.graphiql.config.ts",
    "subgraphs/product/seed/images",
];

const TEN_MINUTES_S: u32 = 600;

pub(crate) fn folder() -> PathBuf {
    workspace::root().join("web-demo")
}

/// The folder of the built page, built if need be; nothing, with a line that says why, where there is no node.
pub(crate) fn ensure(steps: &Steps) -> Result<Option<PathBuf>> {
    let built = folder().join("dist");
    let wanted = fingerprint(&workspace::root(), &INPUTS)?;
    // Beside the page and not in it: it is nobody's to download.
    let mark = folder().join("node_modules/.built-page");
    if built.join("index.html").is_file() && is_marked(&mark, wanted) {
        return Ok(Some(built));
    }
    if !has_node() {
        println!("The shop's page is left out: node 20 or later and npm are not installed.");
        return Ok(None);
    }
    packages(steps)?;
    steps.begin("the shop's page");
    let outcome = quietly(&mut npm(&["run", "bundle"]))
        // Into the folder that the first one has emptied.
        .and_then(|()| quietly(&mut npm(&["run", "graphiql"])));
    steps.end("the shop's page");
    outcome?;
    std::fs::write(&mark, wanted.to_string()).with_context(|| mark.display().to_string())?;
    Ok(Some(built))
}

/// Installs what package-lock.json names, if it names other things than last time.
pub(crate) fn packages(steps: &Steps) -> Result<()> {
    let wanted = fingerprint(&workspace::root(), &["web-demo/package-lock.json"])?;
    let mark = folder().join("node_modules/.installed-lock");
    if is_marked(&mark, wanted) {
        return Ok(());
    }
    steps.begin("packages of the page");
    let outcome = quietly(&mut npm(&["ci"]));
    steps.end("packages of the page");
    outcome?;
    std::fs::write(&mark, wanted.to_string()).with_context(|| mark.display().to_string())
}

/// Everything that can be said of the page without a browser: its types, its style, what is generated, its units, its
/// size. `run` runs each program and counts its tests.
pub(crate) fn check(run: &mut dyn FnMut(&mut Command) -> Result<()>) -> Result<()> {
    needs_node()?;
    packages(&Steps::new())?;
    for script in ["codegen:check", "typecheck", "lint", "test", "build"] {
        run(npm(&["run", "--silent", script]).env("NO_COLOR", "1"))?;
    }
    Ok(())
}

/// What is asked of the page in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Browsing {
    /// Every test.
    All,
    /// The control room beside a busy shop, for ten minutes.
    Room,
}

/// The built page in Chromium, against a system of its own.
pub(crate) fn browse(browsing: Browsing, run: &mut dyn FnMut(&mut Command) -> Result<()>) -> Result<()> {
    needs_node()?;
    let steps = Steps::new();
    install::ensure_program("chromium", "chromium")?;
    packages(&steps)?;
    for script in ["build", "graphiql"] {
        run(npm(&["run", "--silent", script]).env("NO_COLOR", "1"))?;
    }
    workspace::build(false)?;
    // Dropped after the system that lives in it.
    let folder = servers::scratch_folder()?;
    let stack = Stack::start(&private_system(folder.path())?, &steps)?;
    let tested = browse_system(&stack, browsing, run);
    // As it is recorded now: what a plug put back was started by the edge, not by us.
    let stack = Stack::attach(folder.path())?.unwrap_or(stack);
    stack.stop_all(&steps);
    tested
}

fn browse_system(
    stack: &Stack,
    browsing: Browsing,
    run: &mut dyn FnMut(&mut Command) -> Result<()>,
) -> Result<()> {
    tools::seed(stack)?;
    let plan = stack.plan();
    let page = plan.page_url().context("this system has no page")?;
    let mut command = npm(&["run", "--silent", "e2e"]);
    command
        .env("MERCATO_PAGE_URL", page)
        .env("MERCATO_ADMIN_EMAIL", ADMIN_EMAIL)
        .env("MERCATO_ADMIN_PASSWORD", ADMIN_PASSWORD)
        // For the orders of others: `replay` finds the system by its folder.
        .env("MERCATO_XTASK", std::env::current_exe().context("where am I?")?)
        .env("MERCATO_DATA", &plan.folder)
        .env("MERCATO_MAIL_URL", plan.mail_url())
        .env("MERCATO_GRAPHQL_URL", plan.graphql_url())
        .env("NO_COLOR", "1");
    if browsing == Browsing::Room {
        command
            .args(["--", "room"])
            .env("MERCATO_ROOM_SECONDS", TEN_MINUTES_S.to_string());
    }
    run(&mut command)
}

fn needs_node() -> Result<()> {
    if has_node() {
        Ok(())
    } else {
        bail!("node 20 or later and npm are needed")
    }
}

fn private_system(data: &Path) -> Result<Settings> {
    let mut settings = Settings::for_tests(data.to_path_buf(), workspace::binaries(false)?);
    // Nobody here starts again what ends: the control room does, as in a system that was left to itself.
    settings.lifetime = Lifetime::Detached;
    settings.router = Some(workspace::router_files(router::ensure(&())?));
    settings.page = Some(Page {
        folder: folder().join("dist"),
        port: None,
    });
    Ok(settings)
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder()).stdin(Stdio::null());
    command
}

pub(crate) fn has_node() -> bool {
    let runs = |program: &str| {
        Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success())
    };
    runs("node") && runs("npm")
}

pub(crate) fn is_marked(mark: &Path, wanted: u64) -> bool {
    std::fs::read_to_string(mark).is_ok_and(|text| text == wanted.to_string())
}

/// Says nothing unless it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    let name = workspace::shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| name.clone())?;
    anyhow::ensure!(
        output.status.success(),
        "{name}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Of the names and contents of all files, in an order that is always the same.
pub(crate) fn fingerprint(root: &Path, inputs: &[&str]) -> Result<u64> {
    let mut files = Vec::new();
    for input in inputs {
        list(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        bytes.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
            list(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_path_buf());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_new_file_changes_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/a.ts"), "1").unwrap();
        let first = fingerprint(folder.path(), &["src"]).unwrap();
        assert_eq!(fingerprint(folder.path(), &["src"]).unwrap(), first);
        std::fs::write(folder.path().join("src/b.ts"), "").unwrap();
        let second = fingerprint(folder.path(), &["src"]).unwrap();
        assert_ne!(second, first);
        std::fs::write(folder.path().join("src/a.ts"), "2").unwrap();
        assert_ne!(fingerprint(folder.path(), &["src"]).unwrap(), second);
        assert!(fingerprint(folder.path(), &["missing"]).is_err());
    }
}
