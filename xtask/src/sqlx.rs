//! `cargo xtask sqlx`: what the checked SQL macros need to compile without a database, per subgraph.
//!
//! Each subgraph has its own database, so each is prepared alone: its migrations are applied to a private
//! PostgreSQL, and the compiler, pointed at it, writes one file per query.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use dev_stack::install;
use dev_stack::servers::{Postgres, scratch_folder};

use crate::show::Steps;
use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if what is committed is stale.
    #[arg(long)]
    check: bool,
    /// Only these subgraphs.
    names: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    install::ensure_servers(&Steps::new())?;
    let folder = scratch_folder()?;
    let server = Postgres::start(folder.path())?;
    let names = if arguments.names.is_empty() {
        workspace::subgraphs()?
    } else {
        arguments.names.clone()
    };
    let mut stale = Vec::new();
    for name in names
        .iter()
        .filter(|name| subgraph(name).join("sqlx.toml").is_file())
    {
        let fresh = folder.path().join("queries").join(name);
        prepare(&server, name, &fresh)?;
        let committed = subgraph(name).join(".sqlx");
        if contents(&fresh)? != contents(&committed)? {
            stale.push(name.as_str());
            if !arguments.check {
                replace(&committed, &fresh)?;
            }
        }
    }
    match (stale.is_empty(), arguments.check) {
        (true, _) => println!("checked queries are up to date"),
        (false, true) => bail!("stale, run `cargo xtask sqlx` and commit: {}", stale.join(", ")),
        (false, false) => println!("written: {}", stale.join(", ")),
    }
    Ok(ExitCode::SUCCESS)
}

fn subgraph(name: &str) -> PathBuf {
    workspace::root().join("subgraphs").join(name)
}

fn prepare(server: &Postgres, name: &str, queries: &Path) -> Result<()> {
    let database = format!("{name}_db");
    server.create_databases(&[&database])?;
    for file in migrations(name)? {
        server.run_file(&database, &file)?;
    }
    fs::create_dir_all(queries).with_context(|| queries.display().to_string())?;
    touch(name)?;
    let checked = workspace::must(
        workspace::cargo(&["check", "--quiet", "-p", name, "--all-targets"])?
            .env(
                format!("{}_DATABASE_URL", name.to_uppercase()),
                server.database_url(&database),
            )
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", queries),
    );
    // The next build must read the committed files again.
    touch(name)?;
    checked
}

fn migrations(name: &str) -> Result<Vec<PathBuf>> {
    let folder = subgraph(name).join("migrations");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    Ok(files)
}

/// Makes cargo compile the crate anew: it does not know that the macros read a database.
fn touch(name: &str) -> Result<()> {
    let file = subgraph(name).join("src/lib.rs");
    let opened = fs::File::options()
        .write(true)
        .open(&file)
        .with_context(|| file.display().to_string())?;
    opened
        .set_modified(SystemTime::now())
        .with_context(|| file.display().to_string())
}

fn contents(folder: &Path) -> Result<BTreeMap<String, String>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(BTreeMap::new());
    };
    let mut all = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        all.insert(
            name,
            fs::read_to_string(&path).with_context(|| path.display().to_string())?,
        );
    }
    Ok(all)
}

fn replace(committed: &Path, fresh: &Path) -> Result<()> {
    if committed.exists() {
        fs::remove_dir_all(committed).with_context(|| committed.display().to_string())?;
    }
    fs::create_dir_all(committed).with_context(|| committed.display().to_string())?;
    for (name, text) in contents(fresh)? {
        fs::write(committed.join(name), text)?;
    }
    Ok(())
}
