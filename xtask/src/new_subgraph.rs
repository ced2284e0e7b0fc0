//! `cargo xtask new-subgraph NAME`: a subgraph that compiles and serves its SDL, listed wherever all of them are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

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
const FILES: [(&str, &str); 8] = [
    (
        "Cargo.toml",
        include_str!("../templates/subgraph/Cargo.toml.tmpl"),
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

const PLAN: &str = "crates/dev-stack/src/stack/plan.rs";
const PROGRAMS: &str = "xtask/src/workspace.rs";
const SUPERGRAPH: &str = "supergraph.yaml";
const ROUTER: &str = "router/router.yaml";

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
    workspace::must(&mut workspace::cargo(&[
        "fmt",
        "-p",
        name,
        "-p",
        "dev-stack",
        "-p",
        "xtask",
    ])?)?;
    sdl::write(name)?;
    println!(
        "subgraphs/{name} is there. Next: cargo xtask compose, cargo xtask test unit, docs/adding-a-subgraph.md"
    );
    Ok(ExitCode::SUCCESS)
}

/// A subgraph to be made.
struct New {
    name: String,
    about: String,
    events: bool,
}

impl New {
    /// Writes its files and lists it in a checkout. Nothing is written when anything is in the way.
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
        files.extend(self.lists(root)?);
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

    /// The files of the checkout that list all subgraphs, with this one.
    fn lists(&self, root: &Path) -> Result<Vec<(PathBuf, String)>> {
        let name = self.name.as_str();
        let mut plan = with_member(&read(root, PLAN)?, "SERVICES", name)?;
        if self.events {
            plan = with_member(&plan, "WITH_DATABASE", name)?;
        }
        let programs = with_member(&read(root, PROGRAMS)?, "PROGRAMS", name)?;
        let block = format!(
            "  {name}:\n    routing_url: http://{name}:8080/graphql\n    schema:\n      file: ./subgraphs/{name}/schema.graphql\n"
        );
        let supergraph = with_entry(&read(root, SUPERGRAPH)?, "subgraphs:", name, &block)?;
        let url = format!(
            "  {name}: ${{env.{}_GRAPHQL_URL:-http://{name}:8080/graphql}}\n",
            name.to_uppercase()
        );
        let router = with_entry(&read(root, ROUTER)?, "override_subgraph_url:", name, &url)?;
        Ok(vec![
            (root.join(PLAN), plan),
            (root.join(PROGRAMS), programs),
            (root.join(SUPERGRAPH), supergraph),
            (root.join(ROUTER), router),
        ])
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

/// Rust text whose constant `list`, an array of texts, has one more member at its end.
fn with_member(text: &str, list: &str, member: &str) -> Result<String> {
    let head = format!("const {list}: [&str; ");
    let at = text.find(&head).with_context(|| format!("no constant {list}"))? + head.len();
    let (count, rest) = text[at..].split_once(']').context("an array has a length")?;
    let length: usize = count.parse().with_context(|| format!("the length of {list}"))?;
    let (members, after) = rest.split_once("];").context("an array has an end")?;
    let member = format!("\"{member}\"");
    if members.contains(&member) {
        bail!("{list} has {member} already");
    }
    let before = members.trim_end();
    let comma = if before.ends_with(',') { "" } else { "," };
    Ok(format!(
        "{}{}]{before}{comma} {member}];{after}",
        &text[..at],
        length + 1
    ))
}

/// YAML text in whose map `key`, at the left margin, an entry stands in the order of names.
fn with_entry(text: &str, key: &str, name: &str, entry: &str) -> Result<String> {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines
        .iter()
        .position(|line| *line == key)
        .with_context(|| format!("no {key}"))?
        + 1;
    let inside = |line: &&str| line.starts_with(' ');
    let end = start + lines[start..].iter().take_while(|line| inside(line)).count();
    let mut place = end;
    for (index, line) in lines[start..end].iter().enumerate().rev() {
        let other = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with([' ', '#']));
        let Some((other, _)) = other.and_then(|rest| rest.split_once(':')) else {
            continue;
        };
        if other == name {
            bail!("{key} has {name} already");
        }
        if other > name {
            place = start + index;
        }
    }
    let mut out = String::new();
    for line in &lines[..place] {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(entry);
    for line in &lines[place..] {
        out.push_str(line);
        out.push('\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in [PLAN, PROGRAMS, SUPERGRAPH, ROUTER, OUTBOX] {
            let copy = folder.path().join(file);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(workspace::root().join(file), copy).unwrap();
        }
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

    /// The members of a list as a compiler would see them.
    fn members(text: &str, list: &str) -> (usize, Vec<String>) {
        let (_, rest) = text.split_once(&format!("const {list}: [&str; ")).unwrap();
        let (count, rest) = rest.split_once(']').unwrap();
        let (inner, _) = rest.split_once("];").unwrap();
        let names = inner.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        (count.parse().unwrap(), names)
    }

    #[test]
    fn it_is_listed_wherever_all_are() {
        let folder = scratch();
        new("reviews", true).write(folder.path()).unwrap();
        for (file, list) in [
            (PLAN, "SERVICES"),
            (PLAN, "WITH_DATABASE"),
            (PROGRAMS, "PROGRAMS"),
        ] {
            let (count, names) = members(&read(folder.path(), file).unwrap(), list);
            assert_eq!(count, names.len(), "{list}");
            assert_eq!(names.last().unwrap(), "reviews", "{list}");
        }
        let supergraph = read(folder.path(), SUPERGRAPH).unwrap();
        let after = supergraph.split_once("  product:\n").unwrap().1;
        assert!(
            after.contains("  reviews:\n    routing_url: http://reviews:8080/graphql\n"),
            "{supergraph}"
        );
        let router = read(folder.path(), ROUTER).unwrap();
        assert!(router.contains(
            "/graphql}\n  reviews: ${env.REVIEWS_GRAPHQL_URL:-http://reviews:8080/graphql}\n  webhook:"
        ));
    }

    #[test]
    fn a_plain_one_has_no_database() {
        let folder = scratch();
        new("reviews", false).write(folder.path()).unwrap();
        let text = all_text(&folder.path().join("subgraphs/reviews"));
        for word in ["sqlx", "AMQP", "%", "@name@", "@Name@", "@about@"] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(
            !members(&read(folder.path(), PLAN).unwrap(), "WITH_DATABASE")
                .1
                .contains(&"reviews".to_owned())
        );
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
        let before = read(folder.path(), PLAN).unwrap();
        assert!(new("reviews", false).write(folder.path()).is_err());
        assert_eq!(read(folder.path(), PLAN).unwrap(), before);
        fs::remove_dir_all(folder.path().join("subgraphs/reviews")).unwrap();
        let error = new("reviews", false).write(folder.path()).unwrap_err();
        assert!(error.to_string().contains("already"), "{error}");
        assert!(!folder.path().join("subgraphs/reviews").exists());
    }

    #[test]
    fn an_entry_stands_in_the_order_of_names() {
        let text = "a: 1\nmap:\n  b: 1\n  d:\n    x: 1\nz: 1\n";
        let with = |name: &str| with_entry(text, "map:", name, &format!("  {name}: 2\n")).unwrap();
        assert_eq!(with("a"), "a: 1\nmap:\n  a: 2\n  b: 1\n  d:\n    x: 1\nz: 1\n");
        assert_eq!(with("c"), "a: 1\nmap:\n  b: 1\n  c: 2\n  d:\n    x: 1\nz: 1\n");
        assert_eq!(with("e"), "a: 1\nmap:\n  b: 1\n  d:\n    x: 1\n  e: 2\nz: 1\n");
    }
}
