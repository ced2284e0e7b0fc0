//! Servers in containers, for a machine that has neither their programs nor a package manager we may use.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::Options;
use crate::find;
use crate::process::Spec;

/// A container engine that answers.
pub(crate) fn engine() -> Option<PathBuf> {
    ["docker", "podman"]
        .into_iter()
        .filter_map(find::program)
        .find(|engine| {
            let mut info = Command::new(engine);
            info.arg("info")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            info.status().is_ok_and(|status| status.success())
        })
}

/// What to run.
pub(super) struct Image<'a> {
    /// `postgres`, `redis` or `rabbitmq`.
    pub(super) server: &'a str,
    /// Image and tag.
    pub(super) tag: &'a str,
    /// The port inside.
    pub(super) port: u16,
    /// The folder inside that holds the data.
    pub(super) data: &'a str,
    /// Variables inside.
    pub(super) environment: &'a [(&'a str, &'a str)],
    /// What follows the image.
    pub(super) arguments: &'a [&'a str],
}

/// A container that runs, or is about to.
#[derive(Debug, Clone)]
pub(super) struct Container {
    engine: PathBuf,
    name: String,
}

impl Container {
    /// A container of our own for one port of this machine.
    pub(super) fn new(server: &str, port: u16) -> Result<Self> {
        let engine = engine()
            .with_context(|| format!("{server} is not installed, and no container engine answers"))?;
        Ok(Self {
            engine,
            name: format!("mercato-{server}-{port}"),
        })
    }

    /// The engine's client in the foreground: it hands our signals on, and ends with the container.
    pub(super) fn spec(&self, image: &Image<'_>, folder: &Path, port: u16, options: Options) -> Spec {
        let log = folder.join("logs").join(format!("{}.log", image.server));
        let mut spec = Spec::new(image.server, &self.engine, log);
        spec.command.args(self.run(image, folder, port, options));
        spec.lifetime = options.lifetime;
        spec
    }

    fn run(&self, image: &Image<'_>, folder: &Path, port: u16, options: Options) -> Vec<OsString> {
        let mut words: Vec<OsString> = ["run", "--rm", "--name"].map(Into::into).to_vec();
        words.push(self.name.clone().into());
        words.extend([
            "--publish".into(),
            format!("127.0.0.1:{port}:{}", image.port).into(),
        ]);
        if options.durable {
            words.extend([
                "--volume".into(),
                format!("{}:{}", volume(folder, image.server), image.data).into(),
            ]);
        }
        for (name, value) in image.environment {
            words.extend(["--env".into(), format!("{name}={value}").into()]);
        }
        // A node keeps its name, and so its data, over restarts.
        words.extend(["--hostname".into(), "mercato".into(), image.tag.into()]);
        words.extend(image.arguments.iter().map(Into::into));
        words
    }

    /// A program inside the container.
    pub(super) fn exec(&self, program: &str) -> Command {
        let mut command = Command::new(&self.engine);
        command.args([
            "exec",
            "--interactive",
            "--env",
            "PGPASSWORD",
            &self.name,
            program,
        ]);
        command
    }
}

/// The volume of one server of the system in `folder`.
fn volume(folder: &Path, server: &str) -> String {
    let path = folder.display().to_string();
    let name: String = path
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("mercato-{}-{server}", name.trim_matches('-'))
}

/// Removes the volumes of the system in `folder`, if an engine has any.
pub(super) fn delete_volumes(folder: &Path) {
    let Some(engine) = engine() else { return };
    for server in ["postgres", "redis", "rabbitmq"] {
        let mut remove = Command::new(&engine);
        remove.args(["volume", "rm", "--force", &volume(folder, server)]);
        // A volume that never was is no failure.
        let _ = remove
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Lifetime;

    #[test]
    fn data_outlives_the_container_only_when_it_must() {
        let container = Container {
            engine: "docker".into(),
            name: "mercato-redis-20000".to_owned(),
        };
        let image = Image {
            server: "redis",
            tag: "redis:7",
            port: 6379,
            data: "/data",
            environment: &[("A", "b")],
            arguments: &["redis-server"],
        };
        let words = |options| {
            let words = container.run(&image, Path::new("/srv/shop"), 20_000, options);
            words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            words(Options::SCRATCH),
            "run --rm --name mercato-redis-20000 --publish 127.0.0.1:20000:6379 --env A=b --hostname mercato redis:7 redis-server"
        );
        let kept = words(Options {
            lifetime: Lifetime::Detached,
            durable: true,
            port: None,
        });
        assert!(kept.contains("--volume mercato-srv-shop-redis:/data"), "{kept}");
    }
}
