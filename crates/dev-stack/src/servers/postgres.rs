//! A private PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::container::{Container, Image};
use super::{Options, kept_word, own_folder, user_for};
use crate::find;
use crate::process::{Process, Spec};
use crate::sys::Signal;

const USER: &str = "mercato";
/// Where it listens inside a container.
const INNER_PORT: u16 = 5432;
/// Long enough to fetch an image.
const START_PATIENCE: Duration = Duration::from_mins(5);

/// A running PostgreSQL with one superuser, reachable on the loopback address only.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    password: String,
    container: Option<Container>,
}

impl Postgres {
    /// Starts a throw-away server with its data under `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, Options::SCRATCH)
    }

    /// Starts a server with its data under `folder`, made at first use.
    pub fn start_with(folder: &Path, options: Options) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let password = kept_word(&folder.join("postgres-password"))?;
        let port = options.listen_port()?;
        let (spec, container) = match find::postgres_program("initdb") {
            Some(_) => (installed(folder, &password, port, options)?, None),
            None => contained(folder, &password, port, options)?,
        };
        let server = Self {
            process: spec.start()?,
            port,
            password,
            container,
        };
        server.process.await_ready(START_PATIENCE, || {
            server.psql("SELECT 1").is_ok_and(|answer| answer.trim() == "1")
        })?;
        Ok(server)
    }

    /// Address of the maintenance database, with user and password.
    pub fn url(&self) -> String {
        self.database_url("postgres")
    }

    /// Address of one database.
    pub fn database_url(&self, database: &str) -> String {
        format!("{}/{database}", self.server_url())
    }

    /// Address without a database.
    pub(crate) fn server_url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }

    pub(crate) fn into_process(self) -> Process {
        self.process
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Creates the databases that do not exist yet.
    pub fn create_databases(&self, names: &[&str]) -> Result<()> {
        let existing = self.psql("SELECT datname FROM pg_database")?;
        for name in names
            .iter()
            .filter(|name| !existing.lines().any(|line| line == **name))
        {
            self.psql(&format!("CREATE DATABASE {name}"))?;
        }
        Ok(())
    }

    /// Runs a file of SQL in one transaction.
    pub fn run_file(&self, database: &str, file: &Path) -> Result<()> {
        let text = std::fs::File::open(file).with_context(|| file.display().to_string())?;
        let output = self
            .client(database)?
            .args(["-1", "-f", "-"])
            .stdin(text)
            .output()
            .context("psql")?;
        if !output.status.success() {
            bail!(
                "{}: {}",
                file.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }

    fn psql(&self, sql: &str) -> Result<String> {
        let output = self
            .client("postgres")?
            .args(["-A", "-t", "-c", sql])
            .output()
            .context("psql")?;
        if !output.status.success() {
            bail!("psql: {sql}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// `psql`, here or in the container. The password is not among its arguments, which everybody can see.
    fn client(&self, database: &str) -> Result<Command> {
        let (mut command, port) = match &self.container {
            Some(container) => (container.exec("psql"), INNER_PORT),
            None => (Command::new(program("psql")?), self.port),
        };
        command
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-U",
                USER,
            ])
            .args(["-d", database])
            .env("PGPASSWORD", &self.password);
        Ok(command)
    }
}

/// A server of this machine's own programs; makes its data folder at first use.
fn installed(folder: &Path, password: &str, port: u16, options: Options) -> Result<Spec> {
    let user = user_for(&["postgres", "nobody"]);
    if user.is_some() && !find::is_reachable_by_others(folder) {
        bail!(
            "{} is closed to other users, and PostgreSQL refuses to run as root",
            folder.display()
        );
    }
    let home = own_folder(folder.join("postgres"), user)?;
    let data = home.join("data");
    if !data.join("PG_VERSION").exists() {
        init(&home, &data, password, user)?;
    }
    // Left by a server that was killed; the id inside may belong to anybody by now.
    remove_stale_pid_file(&data)?;
    server(&home, &data, port, user, options)
}

fn contained(
    folder: &Path,
    password: &str,
    port: u16,
    options: Options,
) -> Result<(Spec, Option<Container>)> {
    let container = Container::new("postgres", port)?;
    let image = Image {
        server: "postgres",
        tag: "postgres:16",
        port: INNER_PORT,
        data: "/var/lib/postgresql/data",
        environment: &[
            ("POSTGRES_USER", USER),
            ("POSTGRES_PASSWORD", password),
            ("POSTGRES_DB", "postgres"),
        ],
        arguments: &["-c", "max_connections=400"],
    };
    let mut spec = container.spec(&image, folder, port, options);
    spec.stop_with = Signal::Int;
    Ok((spec, Some(container)))
}

fn program(name: &str) -> Result<PathBuf> {
    find::postgres_program(name).with_context(|| format!("PostgreSQL is not installed: no {name}"))
}

fn init(home: &Path, data: &Path, password: &str, user: Option<(u32, u32)>) -> Result<()> {
    let password_file = home.join("password");
    super::write_private(&password_file, password)?;
    super::give(&password_file, user)?;
    let mut spec = Spec::new("initdb", &program("initdb")?, home.join("initdb.log"));
    spec.command
        .args([
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ])
        .arg("--pwfile")
        .arg(&password_file)
        .arg("-D")
        .arg(data)
        .current_dir(home);
    spec.run_as(user);
    let process = spec.start()?;
    let mut success = false;
    crate::process::wait_until(Duration::from_mins(2), || {
        process.exit().is_some_and(|status| {
            success = status.success();
            true
        })
    });
    std::fs::remove_file(&password_file).context("initdb's password file")?;
    if !success {
        let log = std::fs::read_to_string(process.log()).unwrap_or_default();
        bail!("initdb failed\n{log}");
    }
    Ok(())
}

fn remove_stale_pid_file(data: &Path) -> Result<()> {
    let file = data.join("postmaster.pid");
    let Ok(text) = std::fs::read_to_string(&file) else {
        return Ok(());
    };
    let pid = text.lines().next().unwrap_or_default().trim();
    let program = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if program.trim() == "postgres" {
        bail!("a PostgreSQL (process {pid}) already runs on {}", data.display());
    }
    std::fs::remove_file(&file).with_context(|| file.display().to_string())
}

fn server(home: &Path, data: &Path, port: u16, user: Option<(u32, u32)>, options: Options) -> Result<Spec> {
    let mut spec = Spec::new("postgres", &program("postgres")?, log_file(home));
    spec.command
        .arg("-D")
        .arg(data)
        .args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    // Not `synchronous_commit=off`: what was committed must survive a crash of the server, if not of the machine.
    // No socket file: its path would be limited to 107 bytes.
    let mut settings = vec![
        "unix_socket_directories=",
        "max_connections=400",
        "shared_buffers=128MB",
        "log_min_duration_statement=500",
        "timezone=UTC",
    ];
    if !options.durable {
        settings.extend(["fsync=off", "full_page_writes=off", "autovacuum=off"]);
    }
    for setting in settings {
        spec.command.args(["-c", setting]);
    }
    spec.command.current_dir(home);
    spec.run_as(user);
    spec.stop_with = Signal::Int;
    spec.lifetime = options.lifetime;
    Ok(spec)
}

/// Beside the data, in a folder every reader of logs can open.
fn log_file(home: &Path) -> PathBuf {
    home.with_file_name("logs").join("postgres.log")
}
