//! A private RabbitMQ: own node, own port mapper, own cookie, own folders.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::container::{Container, Image};
use super::{Options, own_folder, user_for};
use crate::broker;
use crate::process::{Process, Spec};
use crate::{find, free_port};

const NODE: &str = "mercato@localhost";
/// What `rabbitmqctl` says of a node that is still starting.
const NOT_YET: &str = "requires the 'rabbit' app to be running";
/// Long enough to fetch an image.
const START_PATIENCE: Duration = Duration::from_mins(5);

/// A running RabbitMQ without plugins, reachable on the loopback address only.
#[derive(Debug)]
pub struct RabbitMq {
    process: Process,
    // Declared after the node, so that it is stopped after it.
    mapper: Option<Process>,
    home: PathBuf,
    port: u16,
    environment: Vec<(&'static str, String)>,
    user: Option<(u32, u32)>,
    container: Option<Container>,
}

impl RabbitMq {
    /// Starts a throw-away broker.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, Options::SCRATCH)
    }

    /// Starts a broker with its data under `folder`.
    pub fn start_with(folder: &Path, options: Options) -> Result<Self> {
        let server = match find::rabbitmq_program("rabbitmq-server") {
            Some(program) => Self::installed(&program, folder, options)?,
            None => Self::contained(folder, options)?,
        };
        let port = server.port;
        server.process.await_ready(START_PATIENCE, || speaks_amqp(port))?;
        Ok(server)
    }

    /// Starts the node of `folder` again after its end, on the ports it had. Its port mapper still runs.
    pub(crate) fn start_again(folder: &Path, options: Options) -> Result<Process> {
        let server = match find::rabbitmq_program("rabbitmq-server") {
            Some(program) => {
                let ports = NodePorts::kept(&folder.join("rabbitmq"))?;
                Self::node(&program, folder, options, ports, None)?
            }
            None => Self::contained(folder, options)?,
        };
        let port = server.port;
        server.process.await_ready(START_PATIENCE, || speaks_amqp(port))?;
        Ok(server.process)
    }

    fn installed(program: &Path, folder: &Path, options: Options) -> Result<Self> {
        let ports = NodePorts {
            amqp: options.listen_port()?,
            node: free_port()?,
            mapper: free_port()?,
        };
        let mapper = start_port_mapper(folder, ports.mapper, options)?;
        Self::node(program, folder, options, ports, mapper)
    }

    fn node(
        program: &Path,
        folder: &Path,
        options: Options,
        ports: NodePorts,
        mapper: Option<Process>,
    ) -> Result<Self> {
        let user = user_for(&["rabbitmq"]).filter(|_| find::is_reachable_by_others(folder));
        let home = own_folder(folder.join("rabbitmq"), user)?;
        write_configuration(&home, user)?;
        ports.keep(&home)?;
        let environment = environment(&home, ports);
        let mut spec = Spec::new("rabbitmq", program, folder.join("logs/rabbitmq.log"));
        clean_environment(&mut spec.command, &environment);
        spec.command.current_dir(&home);
        spec.run_as(user);
        spec.lifetime = options.lifetime;
        Ok(Self {
            process: spec.start()?,
            mapper,
            home,
            port: ports.amqp,
            environment,
            user,
            container: None,
        })
    }

    fn contained(folder: &Path, options: Options) -> Result<Self> {
        let home = own_folder(folder.join("rabbitmq"), None)?;
        let port = options.listen_port()?;
        let container = Container::new("rabbitmq", port)?;
        let image = Image {
            server: "rabbitmq",
            tag: "rabbitmq:3.13",
            port: 5672,
            data: "/var/lib/rabbitmq",
            environment: &[],
            arguments: &[],
        };
        let process = container.spec(&image, folder, port, options).start()?;
        let container = Some(container);
        Ok(Self {
            process,
            mapper: None,
            home,
            port,
            environment: Vec::new(),
            user: None,
            container,
        })
    }

    /// Its address for whoever may do everything.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The process that maps Erlang node names to ports; nothing where Erlang's own is used.
    pub fn port_mapper(&self) -> Option<&Process> {
        self.mapper.as_ref()
    }

    /// In the order they were started.
    pub(crate) fn into_processes(self) -> impl Iterator<Item = Process> {
        self.mapper.into_iter().chain([self.process])
    }

    /// Exchanges, queues and bindings before any service comes; limits that only the broker can hold: no queue loses a
    /// message in silence, none grows without end. And an account for each service: answers the addresses by which each
    /// reaches this broker. Skipped when the broker was given the same before.
    pub fn apply_definitions(&self) -> Result<BTreeMap<String, String>> {
        let mut passwords = BTreeMap::new();
        for account in broker::accounts() {
            let word = super::kept_word(&self.home.join(format!("{}.word", account.service)))?;
            passwords.insert(account.service, word);
        }
        let definitions = definitions(&passwords);
        let file = self.home.join("definitions.json");
        if !std::fs::read_to_string(&file).is_ok_and(|applied| applied == definitions) {
            self.import(&definitions)?;
            super::write_private(&file, &definitions)?;
        }
        let url = |(service, word): (&str, String)| {
            let url = format!("amqp://{service}:{word}@127.0.0.1:{}/%2f", self.port);
            (service.to_owned(), url)
        };
        Ok(passwords.into_iter().map(url).collect())
    }

    /// Takes users, queues, exchanges and policies over, as `rabbitmqctl export_definitions` tells them.
    pub(crate) fn import(&self, definitions: &str) -> Result<()> {
        let import = || self.ctl_with(&["import_definitions"], definitions).map(drop);
        match import() {
            // A broker speaks AMQP a moment before it takes commands.
            Err(error) if format!("{error:#}").contains(NOT_YET) => {
                self.ctl(&["await_startup"])?;
                import()
            }
            done => done,
        }
    }

    /// Writes a `rabbitmqctl` that reaches this node, for other programs and for people; returns where it is.
    pub fn write_tool(&self, folder: &Path) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let command = self.ctl_command()?;
        let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
        let exports: Vec<String> = self
            .environment
            .iter()
            .map(|(name, value)| format!("export {name}={}", quoted(value.as_ref())))
            .collect();
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(quoted)
            .collect();
        let file = folder.join("rabbitmqctl");
        super::write_private(
            &file,
            &format!(
                "#!/bin/sh\n{}\nexec {} \"$@\"\n",
                exports.join("\n"),
                words.join(" ")
            ),
        )?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700))?;
        Ok(file)
    }

    /// Runs `rabbitmqctl` against this node and returns what it says.
    pub fn ctl(&self, arguments: &[&str]) -> Result<String> {
        self.ctl_with(arguments, "")
    }

    fn ctl_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.ctl_command()?;
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("rabbitmqctl")?;
        if let Some(mut stdin) = child.stdin.take() {
            // A tool that ends without reading says why below.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().context("rabbitmqctl")?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!(
                "rabbitmqctl {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&said).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn ctl_command(&self) -> Result<Command> {
        if let Some(container) = &self.container {
            let mut command = container.exec("rabbitmqctl");
            command.arg("-q");
            return Ok(command);
        }
        let mut command = Command::new(find::rabbitmq_program("rabbitmqctl").context("no rabbitmqctl")?);
        clean_environment(&mut command, &self.environment);
        command.args(["-q", "-n", NODE]).current_dir(&self.home);
        if let Some((uid, gid)) = self.user {
            use std::os::unix::process::CommandExt;
            command.uid(uid).gid(gid);
        }
        Ok(command)
    }
}

/// Where the node and its port mapper listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct NodePorts {
    amqp: u16,
    node: u16,
    mapper: u16,
}

impl NodePorts {
    const FILE: &'static str = "ports.json";

    /// Those of the node that ran in `home` last.
    fn kept(home: &Path) -> Result<Self> {
        let file = home.join(Self::FILE);
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }

    fn keep(self, home: &Path) -> Result<()> {
        let file = home.join(Self::FILE);
        std::fs::write(&file, serde_json::to_string(&self)?).with_context(|| file.display().to_string())
    }
}

/// The topology, and the accounts beside it.
fn definitions(passwords: &BTreeMap<&str, String>) -> String {
    let mut all = broker::topology();
    let (users, permissions) = broker::definitions(|account| passwords[account.service].clone());
    all["users"] = users.into();
    all["permissions"] = permissions.into();
    all.to_string()
}

/// What both the node and `rabbitmqctl` need to find this instance and no other.
fn environment(home: &Path, ports: NodePorts) -> Vec<(&'static str, String)> {
    let file = |name: &str| home.join(name).display().to_string();
    vec![
        ("HOME", home.display().to_string()),
        ("RABBITMQ_NODENAME", NODE.to_owned()),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_NODE_PORT", ports.amqp.to_string()),
        ("RABBITMQ_DIST_PORT", ports.node.to_string()),
        ("RABBITMQ_MNESIA_BASE", file("data")),
        ("RABBITMQ_LOG_BASE", file("log")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_PID_FILE", file("pid")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
        ("RABBITMQ_CONF_ENV_FILE", file("rabbitmq-env.conf")),
        // No busy waiting: it shares the machine with everything else.
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none".to_owned(),
        ),
        ("ERL_EPMD_PORT", ports.mapper.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        // Makes the script replace itself by the node, so that one process id stands for the broker.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
    ]
}

/// Our settings instead of whatever RABBITMQ_ and ERL_ variables the caller's shell has.
fn clean_environment(command: &mut Command, environment: &[(&'static str, String)]) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("RABBITMQ_") || text.starts_with("ERL_") {
            command.env_remove(&name);
        }
    }
    command.envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
}

fn write_configuration(home: &Path, user: Option<(u32, u32)>) -> Result<()> {
    let settings = "loopback_users.guest = true\n\
                    disk_free_limit.absolute = 100MB\n\
                    vm_memory_high_watermark.relative = 0.4\n\
                    log.console = true\n\
                    log.console.level = warning\n\
                    log.file = false\n";
    let files = [
        ("enabled_plugins", "[].\n"),
        ("rabbitmq.conf", settings),
        // Present and empty, so that the machine's own file is not read.
        ("rabbitmq-env.conf", "# private instance\n"),
    ];
    for (name, text) in files {
        let file = home.join(name);
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
        super::give(&file, user)?;
    }
    Ok(())
}

/// A port mapper of our own, in the foreground: the one Erlang starts by itself would stay behind.
fn start_port_mapper(folder: &Path, port: u16, options: Options) -> Result<Option<Process>> {
    let Some(program) = find::program("epmd") else {
        return Ok(None);
    };
    let mut spec = Spec::new("epmd", &program, folder.join("logs/epmd.log"));
    spec.command
        .args(["-port", &port.to_string(), "-address", "127.0.0.1"]);
    spec.lifetime = options.lifetime;
    let process = spec.start()?;
    process.await_ready(Duration::from_secs(10), || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    })?;
    Ok(Some(process))
}

/// Whether the broker answers the protocol's greeting with a method frame.
fn speaks_amqp(port: u16) -> bool {
    let greet = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        let mut first = [0; 1];
        stream.read_exact(&mut first)?;
        Ok(first == [1])
    };
    greet().unwrap_or(false)
}
