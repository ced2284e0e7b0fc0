//! A backup of every store, the databases to one moment, and putting it back. Must not know what the data means.
//!
//! The moment is the end of PostgreSQL's base backup: one stream of its log, so all databases are as they were then.
//! Redis is copied after it: a cart that is newer than the books lacks what was ordered, one that is older would offer
//! it for sale twice.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{Plan, Progress, Stack, State};
use crate::find;
use crate::process::Lifetime;
use crate::servers::{
    Options, Postgres, RabbitMq, give, own_folder, reachable_folder, user_for, write_private,
};

const FORMAT: u32 = 1;
const NOTE: &str = "backup.json";
const POSTGRES: &str = "postgres";
const CARTS: &str = "redis.rdb";
const DEFINITIONS: &str = "rabbitmq.json";
const PASSWORD: &str = "postgres-password";
/// Where a restore puts the stores that it replaces.
const REPLACED: &str = "before-restore";
const HOMES: [&str; 3] = ["postgres", "redis", "rabbitmq"];

/// Written last: a folder without it is no backup.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    format: u32,
}

impl Stack {
    /// Copies every store into `folder`, which must be new or empty, while the system works.
    pub fn back_up(&self, folder: &Path, progress: &dyn Progress) -> Result<()> {
        let plan = self.plan();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| folder.display().to_string())?;
        ensure!(
            fs::read_dir(folder)?.next().is_none(),
            "{} is not empty: give a new folder",
            folder.display()
        );
        // It holds what customers entrusted to the shop, whoever made the folder.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        for (what, copy) in [
            ("PostgreSQL", databases as fn(&Plan, &Path) -> Result<()>),
            ("Redis", carts),
            ("RabbitMQ", definitions),
        ] {
            progress.begin(what);
            let outcome = copy(&plan, folder).with_context(|| format!("{what} can't be backed up"));
            progress.end(what);
            outcome?;
        }
        let note = serde_json::to_string_pretty(&Note { format: FORMAT })?;
        write_private(&folder.join(NOTE), &note)
    }
}

fn databases(plan: &Plan, folder: &Path) -> Result<()> {
    let server = Address::of(&plan.stores.postgres)?;
    let mut backup = Command::new(
        find::postgres_program("pg_basebackup").context("PostgreSQL's pg_basebackup is not installed")?,
    );
    backup
        .args(["-h", server.host, "-p", server.port, "-U", server.user, "-w"])
        .args(["-F", "tar", "-z", "-X", "stream", "-c", "fast", "-D"])
        .arg(folder.join(POSTGRES))
        .env("PGPASSWORD", server.password);
    run(&mut backup)?;
    // The accounts are part of the copy, and so is this one's password.
    write_private(&folder.join(PASSWORD), server.password)
}

fn carts(plan: &Plan, folder: &Path) -> Result<()> {
    let server = Address::of(&plan.stores.redis)?;
    let program = ["redis-cli", "valkey-cli"].into_iter().find_map(find::program);
    let mut copy = Command::new(program.context("redis-cli is not installed")?);
    copy.args(["-h", server.host, "-p", server.port, "--rdb"])
        .arg(folder.join(CARTS));
    run(&mut copy)
}

fn definitions(plan: &Plan, folder: &Path) -> Result<()> {
    let text = run_for(Command::new(&plan.stores.rabbitmqctl).args(["export_definitions", "-"]))?;
    write_private(&folder.join(DEFINITIONS), &text)
}

/// Puts the stores of a backup in place of those in `data`, where nothing may run. `mend` is given the databases before
/// any service sees them. Answers where the stores are kept that were there.
pub fn restore(
    data: &Path,
    backup: &Path,
    progress: &dyn Progress,
    mend: impl FnOnce(&Postgres) -> Result<()>,
) -> Result<PathBuf> {
    check(data, backup)?;
    fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let folder = reachable_folder(data)?;
    // Beside the old ones, so that a damaged backup costs nothing.
    let fresh = own_folder(folder.join("restoring"), None)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o711))?;
    progress.begin("the backup's files");
    let unpacked = unpack_databases(backup, &fresh).and_then(|()| unpack_carts(backup, &fresh));
    progress.end("the backup's files");
    if unpacked.is_err() {
        // What came of it is of no use; the error tells why.
        let _ = fs::remove_dir_all(&fresh);
    }
    unpacked?;
    let aside = exchange(&folder, &fresh)?;
    let password = fs::read_to_string(backup.join(PASSWORD)).context(PASSWORD)?;
    write_private(&folder.join(PASSWORD), &password)?;
    wake(&folder, backup, progress, mend).with_context(|| {
        format!(
            "half restored; the stores that were there are in {}",
            aside.display()
        )
    })?;
    Ok(aside)
}

/// Starts what was put back for a moment: the databases to be mended, the broker to be told its queues.
fn wake(
    folder: &Path,
    backup: &Path,
    progress: &dyn Progress,
    mend: impl FnOnce(&Postgres) -> Result<()>,
) -> Result<()> {
    let options = Options {
        lifetime: Lifetime::Bound,
        durable: true,
        port: None,
    };
    progress.begin("the databases");
    let outcome = Postgres::start_with(folder, options).and_then(|server| mend(&server));
    progress.end("the databases");
    outcome?;
    progress.begin("the broker");
    let text = fs::read_to_string(backup.join(DEFINITIONS)).context(DEFINITIONS)?;
    let outcome = RabbitMq::start_with(folder, options).and_then(|broker| broker.import(&text));
    progress.end("the broker");
    outcome
}

fn check(data: &Path, backup: &Path) -> Result<()> {
    let running = State::read(data)?
        .into_iter()
        .flat_map(|state| state.processes)
        .find(|entry| entry.id.is_running());
    if let Some(entry) = running {
        bail!("{} is running: stop the system first", entry.name);
    }
    let note = fs::read_to_string(backup.join(NOTE))
        .with_context(|| format!("{} is no backup that was finished", backup.display()))?;
    let note: Note = serde_json::from_str(&note).context(NOTE)?;
    ensure!(note.format == FORMAT, "the backup has format {}", note.format);
    if find::postgres_program("initdb").is_none() {
        bail!("PostgreSQL is not installed, and stores in containers are restored by their own tools");
    }
    Ok(())
}

fn unpack_databases(backup: &Path, fresh: &Path) -> Result<()> {
    let user = user_for(&["postgres", "nobody"]);
    let home = own_folder(fresh.join("postgres"), user)?;
    let data = own_folder(home.join("data"), user)?;
    let log = data.join("pg_wal");
    let from = backup.join(POSTGRES);
    unpack(&from.join("base.tar.gz"), &data, user)?;
    unpack(&from.join("pg_wal.tar.gz"), &log, user)?;
    let manifest = data.join("backup_manifest");
    fs::copy(from.join("backup_manifest"), &manifest).context("the backup's manifest")?;
    give(&manifest, user)?;
    // The log is read when the server starts; this is about the files.
    if let Some(program) = find::postgres_program("pg_verifybackup") {
        run(Command::new(program).args(["-q", "-n"]).arg(&data)).context("the backup is damaged")?;
    }
    Ok(())
}

/// As the server's user, who owns what is unpacked and can't read the backup.
fn unpack(archive: &Path, folder: &Path, user: Option<(u32, u32)>) -> Result<()> {
    let file = File::open(archive).with_context(|| archive.display().to_string())?;
    let mut tar = Command::new("tar");
    tar.args(["-xzf", "-", "-C"]).arg(folder).stdin(file);
    if let Some((uid, gid)) = user {
        tar.uid(uid).gid(gid);
    }
    run(&mut tar)
}

/// Redis reads a snapshot that bears the name of its log as the log's beginning.
fn unpack_carts(backup: &Path, fresh: &Path) -> Result<()> {
    let home = own_folder(fresh.join("redis"), None)?;
    fs::copy(backup.join(CARTS), home.join("appendonly.aof")).context("the carts")?;
    Ok(())
}

/// Sets the old stores aside and the new ones in their places. The broker begins empty: what it held is either known to
/// the outboxes, which send it again, or belongs to a time that the books no longer know.
fn exchange(folder: &Path, fresh: &Path) -> Result<PathBuf> {
    let aside = folder.join(REPLACED);
    if aside.exists() {
        fs::remove_dir_all(&aside).with_context(|| aside.display().to_string())?;
    }
    let aside = own_folder(aside, None)?;
    let moved = |from: PathBuf, to: PathBuf| -> Result<()> {
        if from.exists() {
            fs::rename(&from, &to).with_context(|| from.display().to_string())?;
        }
        Ok(())
    };
    for home in HOMES {
        moved(folder.join(home), aside.join(home))?;
        moved(fresh.join(home), folder.join(home))?;
    }
    let password = folder.join(PASSWORD);
    if password.exists() {
        fs::copy(&password, aside.join(PASSWORD)).context(PASSWORD)?;
    }
    fs::remove_dir(fresh).with_context(|| fresh.display().to_string())?;
    Ok(aside)
}

/// The parts of a store's address.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Result<Self> {
        let (_, rest) = url
            .split_once("://")
            .context("the store's address has no scheme")?;
        let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let place = place.split('/').next().unwrap_or_default();
        let (host, port) = place
            .rsplit_once(':')
            .context("the store's address has no port")?;
        Ok(Self {
            user,
            password,
            host,
            port,
        })
    }
}

fn run(command: &mut Command) -> Result<()> {
    run_for(command).map(drop)
}

/// Runs a tool; what it says, or why it failed.
fn run_for(command: &mut Command) -> Result<String> {
    let program = Path::new(command.get_program()).to_path_buf();
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| program.display().to_string())?;
    if !output.status.success() {
        bail!(
            "{}: {}: {}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_apart() {
        let address = Address::of("postgres://mercato:secret@127.0.0.1:18001").unwrap();
        assert_eq!(
            address,
            Address {
                user: "mercato",
                password: "secret",
                host: "127.0.0.1",
                port: "18001"
            }
        );
        assert_eq!(Address::of("redis://127.0.0.1:2/1").unwrap().port, "2");
        assert!(Address::of("redis://localhost").is_err());
    }

    #[test]
    fn what_is_no_finished_backup_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let outcome = restore(&data, folder.path(), &(), |_| Ok(()));
        let error = format!("{:#}", outcome.unwrap_err());
        assert!(error.contains("no backup that was finished"), "{error}");
        assert!(!data.exists());
    }
}
