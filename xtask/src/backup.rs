//! `cargo xtask backup FOLDER` and `restore FOLDER`: every store of the local system, to one moment.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;
use dev_stack::servers::Postgres;
use dev_stack::stack;

use crate::show::Steps;
use crate::{tools, workspace};

#[derive(clap::Args)]
pub(crate) struct Folder {
    /// The folder of the backup.
    folder: PathBuf,
}

pub(crate) fn back_up(to: &Folder) -> Result<ExitCode> {
    tools::attached()?.back_up(&to.folder, &Steps::new())?;
    println!("All stores are in {}.", to.folder.display());
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn restore(from: &Folder) -> Result<ExitCode> {
    workspace::build_besides(&[])?;
    let replaced = stack::restore(&workspace::data_folder(), &from.folder, &Steps::new(), send_again)?;
    println!("Restored; what was there before is in {}.", replaced.display());
    println!(
        "Now: cargo xtask up, then cargo xtask audit --wait 120; its I16 names what only the provider knows."
    );
    Ok(ExitCode::SUCCESS)
}

/// The broker comes back empty: what it held at the moment of the backup is sent again.
fn send_again(server: &Postgres) -> Result<()> {
    let databases = tools::databases(|service| server.database_url(&format!("{service}_db")));
    let mut operator = Command::new(workspace::binaries(false)?.join("operator"));
    operator
        .args(["events", "republish"])
        .env("MERCATO_DATABASES", databases);
    workspace::must(&mut operator)
}
