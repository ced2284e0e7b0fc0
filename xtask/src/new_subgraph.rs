//! `cargo xtask new-subgraph NAME`: a folder with a subgraph that compiles and serves its SDL. What lists services is
//! written from its `service.toml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::{sdl, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One lower-case word, such as `reviews`.
    name: String,
    /// What it owns, in a few words, such as "what buyers think of products".
    #[arg(long)]
    about: Option<String>,
    /// With a database of its own and an outbox, to publish events.
    #[arg(long)]
    events: bool,
}

/// Templates and where they go. A line that begins with `%events` or `%plain` is for that kind alone.
const FILES: [(&str, &str); 10] = [
    (
        "Cargo.toml",
        include_str!("../templates/subgraph/Cargo.toml.tmpl"),
    ),
    (
        "service.toml",
        include_str!("../templates/subgraph/service.toml.tmpl"),
    ),
    (
        "metrics.txt",
        include_str!("../templates/subgraph/metrics.txt.tmpl"),
    ),
    ("README.md", include_str!("../templates/subgraph/README.md.tmpl")),
    ("src/main.rs", include_str!("../templates/subgraph/main.rs.tmpl")),
    ("src/lib.rs", include_str!("../templates/subgraph/lib.rs.tmpl")),
    (
        "src/config.rs",
        include_str!("../templates/subgraph/config.rs.tmpl"),
    ),
    (
        "src/graphql.rs",
        include_str!("../templates/subgraph/graphql.rs.tmpl"),
    ),
    (
        "src/bin/sdl.rs",
        include_str!("../templates/subgraph/sdl.rs.tmpl"),
    ),
    (
        "tests/it/main.rs",
        include_str!("../templates/subgraph/it.rs.tmpl"),
    ),
];
const SQLX: &str = include_str!("../templates/subgraph/sqlx.toml.tmpl");
const OUTBOX: &str = "crates/event-bus/sql/outbox.sql";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let new = New {
        name: arguments.name.clone(),
        about: arguments
            .about
            .clone()
            .unwrap_or_else(|| format!("the {} of the shop", arguments.name)),
        events: arguments.events,
    };
    new.write(&workspace::root())?;
    let name = new.name.as_str();
    workspace::must(&mut workspace::cargo(&["fmt", "-p", name])?)?;
    // By another xtask than this one, which was built without it.
    workspace::must(&mut workspace::cargo(&[
        "run",
        "--quiet",
        "-p",
        "xtask",
        "--",
        "manifests",
    ])?)?;
    sdl::write(name)?;
    println!(
        "subgraphs/{name} is there. Next: cargo xtask compose, cargo xtask test unit, docs/adding-a-subgraph.md"
    );
    Ok(ExitCode::SUCCESS)
}

/// Fails when what this command writes does not compile. It is tried in a checkout of links to this one, which has the
/// same build results.
pub(crate) fn check() -> Result<()> {
    let scratch = tempfile::tempdir_in(workspace::target_folder()?)?;
    mirror(&workspace::root(), scratch.path())?;
    let trials = [("trialplain", false), ("trialevents", true)];
    for (name, events) in trials {
        let new = New {
            name: name.to_owned(),
            about: "nothing".to_owned(),
            events,
        };
        new.write(scratch.path())?;
    }
    let programs = trials.map(|(name, _)| (name, format!("{name}-sdl")));
    let programs = programs
        .each_ref()
        .map(|(name, program)| (*name, program.as_str()));
    workspace::build_besides_in(scratch.path(), &programs)
}

/// A checkout in which nothing is a copy but what a new subgraph changes.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        match entry.file_name().to_str() {
            Some("target" | ".git") => {}
            Some("Cargo.toml" | "Cargo.lock") => drop(fs::copy(&source, &place)?),
            Some("subgraphs") => {
                fs::create_dir(&place)?;
                mirror(&source, &place)?;
            }
            _ => std::os::unix::fs::symlink(&source, &place)?,
        }
    }
    Ok(())
}

/// A subgraph to be made.
struct New {
    name: String,
    about: String,
    events: bool,
}

impl New {
    /// Writes its files into a checkout. Nothing is written when anything is in the way.
    fn write(&self, root: &Path) -> Result<()> {
        self.check(root)?;
        let folder = root.join("subgraphs").join(&self.name);
        let mut files: Vec<(PathBuf, String)> = FILES
            .iter()
            .map(|(path, template)| (folder.join(path), self.fill(template)))
            .collect();
        if self.events {
            files.push((folder.join("sqlx.toml"), self.fill(SQLX)));
            files.push((folder.join("migrations/0001_outbox.sql"), read(root, OUTBOX)?));
        }
        // Until `sdl` writes it; the tests of the crate include the file.
        files.push((folder.join("schema.graphql"), String::new()));
        for (path, text) in files {
            let parent = path.parent().context("a file lies in a folder")?;
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
            fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    fn check(&self, root: &Path) -> Result<()> {
        let name = self.name.as_str();
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase()) && (2..=24).contains(&name.len());
        ensure!(
            plain,
            "{name}: a subgraph is named by one lower-case word of 2 to 24 letters"
        );
        for folder in ["subgraphs", "crates"] {
            ensure!(!root.join(folder).join(name).exists(), "{folder}/{name} exists");
        }
        ensure!(
            ![
                "router", "e2e", "composer", "xtask", "edge", "faults", "postgres", "redis", "rabbitmq"
            ]
            .contains(&name),
            "{name} names something else"
        );
        Ok(())
    }

    fn fill(&self, template: &str) -> String {
        let (kind, other) = if self.events {
            ("%events", "%plain")
        } else {
            ("%plain", "%events")
        };
        let mut text = String::new();
        for line in template.lines().filter(|line| !line.starts_with(other)) {
            let line = line
                .strip_prefix(kind)
                .map_or(line, |line| line.strip_prefix(' ').unwrap_or(line));
            text.push_str(line);
            text.push('\n');
        }
        text.replace("@name@", &self.name)
            .replace("@NAME@", &self.name.to_uppercase())
            .replace("@Name@", &capitalised(&self.name))
            .replace("@about@", &self.about)
            .replace("@About@", &capitalised(&self.about))
    }
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| file.to_owned())
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(OUTBOX);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(workspace::root().join(OUTBOX), copy).unwrap();
        folder
    }

    fn new(name: &str, events: bool) -> New {
        New {
            name: name.to_owned(),
            about: "what buyers think".to_owned(),
            events,
        }
    }

    fn all_text(folder: &Path) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                text.push_str(&all_text(&path));
            } else {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
        text
    }

    #[test]
    fn all_it_writes_is_in_its_own_folder() {
        let folder = scratch();
        new("reviews", true).write(folder.path()).unwrap();
        fs::remove_dir_all(folder.path().join("subgraphs/reviews")).unwrap();
        assert_eq!(all_text(folder.path()), read(&workspace::root(), OUTBOX).unwrap());
    }

    #[test]
    fn a_plain_one_has_no_database() {
        let folder = scratch();
        new("reviews", false).write(folder.path()).unwrap();
        let text = all_text(&folder.path().join("subgraphs/reviews"));
        for word in ["sqlx", "AMQP", "%", "@name@", "@Name@", "@about@"] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(text.contains("reviews_up_since") && text.contains("Owns what buyers think"));
    }

    #[test]
    fn one_with_events_has_the_house_s_outbox() {
        let folder = scratch();
        new("reviews", true).write(folder.path()).unwrap();
        let own = folder.path().join("subgraphs/reviews");
        let outbox = fs::read_to_string(own.join("migrations/0001_outbox.sql")).unwrap();
        assert_eq!(outbox, read(&workspace::root(), OUTBOX).unwrap());
        let text = all_text(&own);
        assert!(text.contains("run_relay") && text.contains("REVIEWS_DATABASE_URL"));
        assert!(!text.contains("%events") && !text.contains("%plain"));
    }

    #[test]
    fn what_is_in_the_way_is_told_and_nothing_is_written() {
        let folder = scratch();
        for name in ["Reviews", "r", "two-words", "edge", "reviews2"] {
            assert!(new(name, false).write(folder.path()).is_err(), "{name}");
        }
        new("reviews", false).write(folder.path()).unwrap();
        assert!(new("reviews", true).write(folder.path()).is_err());
        assert!(!folder.path().join("subgraphs/reviews/sqlx.toml").exists());
    }
}
