//! A private Redis.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::Options;
use super::container::{Container, Image};
use crate::find;
use crate::process::{Process, Spec};

/// Long enough to fetch an image.
const START_PATIENCE: Duration = Duration::from_mins(5);

/// A running Redis, reachable on the loopback address only.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    /// Starts a throw-away server.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, Options::SCRATCH)
    }

    /// Starts a server with its data under `folder`.
    pub fn start_with(folder: &Path, options: Options) -> Result<Self> {
        let port = options.listen_port()?;
        let durable = if options.durable { "yes" } else { "no" };
        let storage = ["--appendonly", durable, "--appendfsync", "everysec", "--save", ""];
        let program = find::program("redis-server").or_else(|| find::program("valkey-server"));
        let spec = match program {
            Some(program) => installed(&program, folder, port, &storage, options)?,
            None => contained(folder, port, &storage, options)?,
        };
        let process = spec.start()?;
        process.await_ready(START_PATIENCE, || answers_ping(port))?;
        Ok(Self { process, port })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn into_process(self) -> Process {
        self.process
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn installed(program: &Path, folder: &Path, port: u16, storage: &[&str], options: Options) -> Result<Spec> {
    let home = super::own_folder(folder.join("redis"), None)?;
    let mut spec = Spec::new("redis", program, folder.join("logs/redis.log"));
    spec.command
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--daemonize",
            "no",
        ])
        .args(storage)
        .arg("--dir")
        .arg(&home)
        .current_dir(&home);
    spec.lifetime = options.lifetime;
    Ok(spec)
}

fn contained(folder: &Path, port: u16, storage: &[&str], options: Options) -> Result<Spec> {
    let image = Image {
        server: "redis",
        tag: "redis:7",
        port: 6379,
        data: "/data",
        environment: &[],
        arguments: &[&["redis-server"], storage].concat(),
    };
    Ok(Container::new("redis", port)?.spec(&image, folder, port, options))
}

fn answers_ping(port: u16) -> bool {
    let ping = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG")
    };
    ping().unwrap_or(false)
}
