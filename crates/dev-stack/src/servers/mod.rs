//! PostgreSQL, Redis and RabbitMQ in a private folder on free ports, beside whatever else the machine runs.

pub(crate) mod container;
mod postgres;
mod rabbitmq;
mod redis;

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;

use crate::process::Lifetime;
use crate::{find, sys};

/// How a server is run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether it outlives us.
    pub lifetime: Lifetime,
    /// Whether data must survive a crash of the machine. Tests say no and are much quicker for it.
    pub durable: bool,
    /// The port to listen on; a free one when absent.
    pub port: Option<u16>,
}

impl Options {
    /// For tests: ends with us, keeps nothing.
    pub const SCRATCH: Self = Self {
        lifetime: Lifetime::Bound,
        durable: false,
        port: None,
    };

    fn listen_port(self) -> std::io::Result<u16> {
        self.port.map_or_else(crate::free_port, Ok)
    }
}

/// A folder for throw-away servers, gone when dropped. Other users may pass through it, because PostgreSQL
/// refuses to run as root.
pub fn scratch_folder() -> Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix("mercato-")
        .permissions(std::fs::Permissions::from_mode(0o711))
        .tempdir()
        .context("a temporary folder")
}

/// `folder` itself, or one elsewhere when a server would run as another user who cannot reach it: a checkout
/// in root's home, say.
pub(crate) fn reachable_folder(folder: &Path) -> Result<PathBuf> {
    let reachable = elsewhere(folder).unwrap_or_else(|| folder.to_path_buf());
    std::fs::create_dir_all(&reachable).with_context(|| reachable.display().to_string())?;
    Ok(reachable)
}

/// Where the stores of `folder` are when they are not in it.
fn elsewhere(folder: &Path) -> Option<PathBuf> {
    if !sys::is_root() || find::is_reachable_by_others(folder) {
        return None;
    }
    let path = folder.canonicalize().ok()?.display().to_string();
    let name: String = path
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    Some(Path::new("/var/lib/mercato").join(name.trim_matches('-')))
}

/// Deletes a system's data folder, and the stores it keeps elsewhere. Nothing of it may run.
pub fn delete_data(folder: &Path) -> Result<()> {
    for path in elsewhere(folder)
        .into_iter()
        .chain([folder.to_path_buf()])
        .filter(|path| path.exists())
    {
        container::delete_volumes(&path);
        std::fs::remove_dir_all(&path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The log of one process of the system in `folder`, whether it runs or not.
pub fn log_file(folder: &Path, name: &str) -> PathBuf {
    let file = |folder: &Path| folder.join("logs").join(format!("{name}.log"));
    let own = file(folder);
    match elsewhere(folder) {
        Some(elsewhere) if !own.exists() => file(&elsewhere),
        _ => own,
    }
}

/// The user a server runs as when we are root.
pub(crate) fn user_for(names: &[&str]) -> Option<(u32, u32)> {
    if sys::is_root() {
        names.iter().find_map(|name| find::user_ids(name))
    } else {
        None
    }
}

/// Makes a private folder and gives it to `user`.
pub(crate) fn own_folder(folder: PathBuf, user: Option<(u32, u32)>) -> Result<PathBuf> {
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
    give(&folder, user)?;
    Ok(folder)
}

pub(crate) fn give(path: &Path, user: Option<(u32, u32)>) -> Result<()> {
    if let Some((uid, gid)) = user {
        chown(path, Some(uid), Some(gid)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// 32 hexadecimal digits nobody can guess.
pub(crate) fn random_word() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The word kept in `file`, made at first use: passwords must survive a restart like the data they guard.
fn kept_word(file: &Path) -> Result<String> {
    if let Ok(word) = std::fs::read_to_string(file) {
        return Ok(word.trim().to_owned());
    }
    let word = random_word();
    write_private(file, &word)?;
    Ok(word)
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file_handle = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .with_context(|| file.display().to_string())?;
    file_handle
        .write_all(text.as_bytes())
        .with_context(|| file.display().to_string())
}
