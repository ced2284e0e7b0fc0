//! Where programs are on this machine. Must not know how they are started.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Folders beside PATH in which distributions hide server programs.
const PLACES: &[&str] = &[
    "/usr/sbin",
    "/sbin",
    "/usr/lib/rabbitmq/bin",
    "/usr/local/sbin",
    "/opt/homebrew/sbin",
    "/opt/homebrew/bin",
    "/usr/local/opt/rabbitmq/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
];

/// The program called `name`: PATH first, then the usual hiding places.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(PLACES.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// A program of PostgreSQL, which Debian keeps out of PATH: the newest installed version wins.
pub(crate) fn postgres_program(name: &str) -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
        .iter()
        .filter_map(|root| std::fs::read_dir(root).ok())
        .flat_map(Iterator::flatten)
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().replace("postgresql@", "");
            name.parse().ok().map(|version: u32| (version, entry.path()))
        })
        .collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder.join("bin").join(name))
        .chain([
            PathBuf::from("/usr/pgsql-17/bin").join(name),
            PathBuf::from("/usr/pgsql-16/bin").join(name),
        ])
        .find(|file| is_executable(file))
        .or_else(|| program(name))
}

/// RabbitMQ's own script. Debian's `/usr/sbin` wrapper insists on the packaged user and folders.
pub(crate) fn rabbitmq_program(name: &str) -> Option<PathBuf> {
    let own = Path::new("/usr/lib/rabbitmq/bin").join(name);
    if is_executable(&own) {
        Some(own)
    } else {
        program(name)
    }
}

/// User and group id of a local user.
pub(crate) fn user_ids(name: &str) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    })
}

/// Whether every folder on the way to `path` lets other users pass.
pub(crate) fn is_reachable_by_others(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|folder| folder.metadata().ok())
        .all(|folder| folder.permissions().mode() & 0o001 != 0)
}

pub(crate) fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_on_path_and_nothing_else() {
        assert!(program("sh").is_some());
        assert!(program("no-such-program-anywhere").is_none());
    }

    #[test]
    fn knows_local_users() {
        assert_eq!(user_ids("root"), Some((0, 0)));
        assert_eq!(user_ids("no-such-user"), None);
    }
}
