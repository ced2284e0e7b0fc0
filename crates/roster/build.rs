//! Reads every `subgraphs/NAME/service.toml`, refuses what can't be right, and leaves the rest for the crate to embed.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by the environment where it is"
)]

#[expect(
    dead_code,
    unreachable_pub,
    reason = "the same file is a module of the crate, which uses more of it"
)]
#[path = "src/model.rs"]
mod model;

#[path = "src/faults.rs"]
mod faults;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use model::Service;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../subgraphs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut services = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let file = entry?.path().join("service.toml");
        // Named even where it is not there yet.
        println!("cargo::rerun-if-changed={}", file.display());
        if file.is_file() {
            services.push(read(&file)?);
        }
    }
    services.sort_by(|one, other| one.name.cmp(&other.name));
    let faults = faults::faults(&services);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("services.json"), serde_json::to_string(&services)?)?;
    fs::write(out.join("names.rs"), names(&services))?;
    Ok(())
}

fn read(file: &Path) -> Result<Service, Box<dyn Error>> {
    let shown = file.display();
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
    let mut service: Service =
        toml::from_str(&fs::read_to_string(file)?).map_err(|error| format!("{shown}: {error}"))?;
    service.name = folder.to_string_lossy().into_owned();
    Ok(service)
}

/// Lists that are known when a program is built.
fn names(services: &[Service]) -> String {
    let all = |which: &dyn Fn(&&Service) -> bool| -> Vec<String> {
        services
            .iter()
            .filter(which)
            .map(|service| service.name.clone())
            .collect()
    };
    let queues = services.iter().flat_map(|service| {
        let consumes = service.events.consumes.iter();
        consumes.map(|heard| service.queue(heard))
    });
    let mut text = String::new();
    for (name, doc, members) in [
        ("SERVICES", "Every service, by name.", all(&|_| true)),
        (
            "WITH_DATABASE",
            "Those that own a PostgreSQL database, `NAME_db`.",
            all(&|service| service.database),
        ),
        (
            "OPTIONAL",
            "Those that the shop runs without.",
            all(&|service| service.optional),
        ),
        (
            "ON_BROKER",
            "Those that tell or hear events.",
            all(&|service| service.has_broker()),
        ),
        (
            "LIVE",
            "Those that serve subscriptions.",
            all(&|service| service.is_live()),
        ),
        (
            "QUEUES",
            "Queues that services consume, each with its parking queue behind `NAME.dlx`.",
            queues.collect(),
        ),
    ] {
        let _ = writeln!(
            text,
            "#[doc = {doc:?}]\npub const {name}: [&str; {}] = {members:?};",
            members.len()
        );
    }
    text
}
