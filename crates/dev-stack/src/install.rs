//! Installs PostgreSQL, Redis and RabbitMQ where that needs no question: as root on Debian and Fedora, with
//! Homebrew on macOS. Elsewhere it says what to install.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::servers::container;
use crate::stack::Progress;
use crate::{find, sys};

/// A server the system needs.
#[derive(Debug, Clone, Copy)]
struct Package {
    name: &'static str,
    debian: &'static str,
    fedora: &'static str,
    homebrew: &'static str,
    is_here: fn() -> bool,
}

const PACKAGES: [Package; 3] = [
    Package {
        name: "PostgreSQL",
        debian: "postgresql",
        fedora: "postgresql-server",
        homebrew: "postgresql@16",
        is_here: || find::postgres_program("initdb").is_some() && find::postgres_program("psql").is_some(),
    },
    Package {
        name: "Redis",
        debian: "redis-server",
        fedora: "redis",
        homebrew: "redis",
        is_here: || {
            find::program("redis-server")
                .or_else(|| find::program("valkey-server"))
                .is_some()
        },
    },
    Package {
        name: "RabbitMQ",
        debian: "rabbitmq-server",
        fedora: "rabbitmq-server",
        homebrew: "rabbitmq",
        is_here: || find::rabbitmq_program("rabbitmq-server").is_some(),
    },
];

/// The way packages get onto this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Homebrew,
}

/// Names of the servers this machine lacks.
pub fn missing_servers() -> Vec<&'static str> {
    missing().iter().map(|package| package.name).collect()
}

fn missing() -> Vec<Package> {
    PACKAGES
        .into_iter()
        .filter(|package| !(package.is_here)())
        .collect()
}

/// Installs what is missing, or says exactly what to install.
pub fn ensure_servers(progress: &dyn Progress) -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let Some(manager) = manager() else {
        // The servers then run in containers.
        return if container::engine().is_some() {
            Ok(())
        } else {
            Err(anyhow!(advice(&missing)))
        };
    };
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let what = format!("installing {}", names.join(", "));
    progress.begin(&what);
    let outcome = run(manager, &packages(manager, &missing)).with_context(|| advice(&missing));
    progress.end(&what);
    outcome?;
    let still: Vec<Package> = self::missing();
    if !still.is_empty() {
        bail!(advice(&still));
    }
    Ok(())
}

/// Installs the Debian package a build needs, when we are root on Debian and `program` is absent.
pub fn ensure_program(program: &str, debian: &'static str) -> Result<()> {
    ensure(program, debian, || find::program(program).is_some())
}

/// Installs the Debian package of something that is no program, when we are root on Debian and it is absent.
pub fn ensure(what: &str, debian: &'static str, is_here: impl Fn() -> bool) -> Result<()> {
    if is_here() {
        return Ok(());
    }
    if manager() != Some(Manager::Apt) {
        bail!("{what} is needed: install it (Debian: apt-get install {debian})");
    }
    run(Manager::Apt, &[debian])
}

fn manager() -> Option<Manager> {
    if find::program("brew").is_some() {
        return Some(Manager::Homebrew);
    }
    if !sys::is_root() {
        return None;
    }
    match (find::program("apt-get"), find::program("dnf")) {
        (Some(_), _) => Some(Manager::Apt),
        (_, Some(_)) => Some(Manager::Dnf),
        _ => None,
    }
}

fn packages(manager: Manager, missing: &[Package]) -> Vec<&'static str> {
    missing
        .iter()
        .map(|package| match manager {
            Manager::Apt => package.debian,
            Manager::Dnf => package.fedora,
            Manager::Homebrew => package.homebrew,
        })
        .collect()
}

/// What a person should type.
fn advice(missing: &[Package]) -> String {
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let command = |manager, start: &str| format!("  {start} {}", packages(manager, missing).join(" "));
    format!(
        "{} must be installed (programs only; nothing needs to be started):\n{}\n{}\n{}",
        names.join(", "),
        command(Manager::Apt, "sudo apt-get install"),
        command(Manager::Dnf, "sudo dnf install"),
        command(Manager::Homebrew, "brew install"),
    )
}

fn run(manager: Manager, packages: &[&str]) -> Result<()> {
    match manager {
        Manager::Apt => {
            let _quiet = NoServices::begin()?;
            // The lists may be fresh already, and a mirror that is down is no reason to stop here.
            let _ = command("apt-get", &["update", "-q"]);
            let arguments = [&["install", "-q", "-y", "--no-install-recommends"], packages].concat();
            command("apt-get", &arguments)
        }
        Manager::Dnf => command("dnf", &[&["install", "-q", "-y"], packages].concat()),
        Manager::Homebrew => command("brew", &[&["install", "--quiet"], packages].concat()),
    }
}

fn command(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .envs([("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")])
        .output()
        .context(program.to_owned())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let tail: Vec<&str> = said.lines().rev().take(8).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!(
            "{program} {}: {}\n{}",
            arguments.join(" "),
            output.status,
            tail.join("\n")
        );
    }
    Ok(())
}

/// Builds a package of Rust programs into `folder`, from its own lock file; cargo shows its progress. `only` says which
/// of its programs and features.
pub(crate) fn from_source(package: &str, version: &str, only: &[&str], folder: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .args(["install", package, "--version", version, "--locked"])
        .args(only)
        .arg("--root")
        .arg(folder)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cargo install {package}"))?;
    if !status.success() {
        bail!("cargo install {package}: {status}");
    }
    Ok(())
}

/// While it lives, Debian's packages start no service: the private instances are the only ones we want. A policy
/// that exists already is left alone.
struct NoServices {
    file: Option<PathBuf>,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let file = Path::new("/usr/sbin/policy-rc.d");
        if file.exists() {
            return Ok(Self { file: None });
        }
        let mut options = OpenOptions::new();
        let mut handle = options
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(file)
            .context("policy-rc.d")?;
        std::io::Write::write_all(&mut handle, b"#!/bin/sh\nexit 101\n").context("policy-rc.d")?;
        Ok(Self {
            file: Some(file.to_path_buf()),
        })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Nothing can be done about a failure, and nothing of ours needs the file gone.
            let _ = fs::remove_file(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_every_command() {
        let advice = advice(&PACKAGES[1..]);
        assert!(advice.starts_with("Redis, RabbitMQ must be installed"));
        assert!(advice.contains("sudo apt-get install redis-server rabbitmq-server"));
        assert!(advice.contains("brew install redis rabbitmq"));
    }
}
