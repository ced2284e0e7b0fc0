//! A second process of a service with some of its variables changed: the same program, the same stores, own ports.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dev_stack::stack::ROUTERS;

use crate::world::World;

/// Runs until it is dropped.
pub(crate) struct Twin {
    child: Child,
    /// Where it serves GraphQL.
    pub(crate) graphql: u16,
    /// Where it tells its metrics.
    pub(crate) ops: u16,
    /// Where it serves browsers.
    pub(crate) public: u16,
    pub(crate) log: PathBuf,
}

impl Drop for Twin {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl World {
    /// Starts a twin of a running process. An empty value takes a variable away.
    pub(crate) async fn twin(&self, name: &str, changes: &[(&str, &str)]) -> Result<Twin> {
        let mut command = self.twin_command(name)?;
        let ports: Vec<u16> = (0..4)
            .map(|_| dev_stack::free_port())
            .collect::<std::io::Result<_>>()?;
        let local = |port: u16| format!("127.0.0.1:{port}");
        for (variable, port) in [
            ("GRAPHQL_ADDR", ports[0]),
            ("INTERNAL_ADDR", ports[1]),
            ("OPS_ADDR", ports[2]),
            ("PUBLIC_ADDR", ports[3]),
            ("ROUTER_LISTEN", ports[0]),
            ("ROUTER_HEALTH_LISTEN", ports[2]),
            ("ROUTER_METRICS_LISTEN", ports[3]),
        ] {
            command.env(variable, local(port));
        }
        for (variable, value) in changes {
            if value.is_empty() {
                command.env_remove(variable);
            } else {
                command.env(variable, value);
            }
        }
        let log = self.folder().join(format!("logs/twin-{name}-{}.log", ports[0]));
        let file = std::fs::File::create(&log)?;
        command
            .stdin(Stdio::null())
            .stderr(file.try_clone()?)
            .stdout(file);
        let mut twin = Twin {
            child: command.spawn().with_context(|| format!("a twin of {name}"))?,
            graphql: ports[0],
            ops: ports[2],
            public: ports[3],
            log,
        };
        let path = if ROUTERS.contains(&name) {
            "/health?ready"
        } else {
            "/readyz"
        };
        let url = format!("http://{}{path}", local(ports[2]));
        let begun = Instant::now();
        loop {
            if let Ok(answer) = self.http.get(&url).send().await
                && answer.status() == 200
            {
                return Ok(twin);
            }
            let ended = twin.child.try_wait()?;
            let log = || std::fs::read_to_string(&twin.log).unwrap_or_default();
            ensure!(ended.is_none(), "the twin of {name} ended: {ended:?} {}", log());
            ensure!(
                begun.elapsed() < Duration::from_secs(30),
                "the twin of {name} is not ready: {}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The program and the variables of a running process.
    pub(crate) fn twin_command(&self, name: &str) -> Result<Command> {
        let state = self.stack.state();
        let entry = state
            .entry(name)
            .with_context(|| format!("no process called {name}"))?;
        let process = PathBuf::from(format!("/proc/{}", entry.id.pid));
        let plan = self.stack.plan();
        let program = match plan.router {
            Some(router) if ROUTERS.contains(&name) => router.program,
            _ => plan.binaries.join(name),
        };
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.folder());
        for variable in std::fs::read(process.join("environ"))?.split(|&byte| byte == 0) {
            let mut halves = variable.splitn(2, |&byte| byte == b'=');
            if let (Some(name), Some(value)) = (halves.next(), halves.next()) {
                let text = |bytes: &[u8]| std::ffi::OsString::from_vec(bytes.to_vec());
                command.env(text(name), text(value));
            }
        }
        Ok(command)
    }
}
