//! What no text may hold: unfinished work, and traces of the machine it was written on.

use super::tree::{File, Tree};

/// Split, so that this file does not find itself.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const MACHINE: [&str; 4] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("/Use", "rs/"),
];
/// Download addresses tie a lock file to the mirror it was made with.
const ADDRESSES: [&str; 3] = [
    concat!("registry.npm", "js.org"),
    concat!("static.crates", ".io"),
    concat!("files.python", "hosted.org"),
];
const RESOLVED: &str = concat!("\"reso", "lved\":");

pub(super) fn unfinished(tree: &Tree) -> Vec<String> {
    find(
        tree,
        |file| {
            file.is_rust()
                || is(
                    file,
                    &[
                        "md", "yaml", "yml", "sql", "graphql", "sh", "ts", "tsx", "js", "mjs",
                    ],
                )
        },
        |line| {
            UNFINISHED
                .iter()
                .any(|word| has_word(line, word))
                .then_some("unfinished work")
        },
    )
}

pub(super) fn machine_paths(tree: &Tree) -> Vec<String> {
    find(
        tree,
        |_| true,
        |line| {
            if MACHINE.iter().any(|path| line.contains(path)) {
                return Some("a path of one machine");
            }
            let address = line.contains(RESOLVED) || ADDRESSES.iter().any(|host| line.contains(host));
            address.then_some("a download address")
        },
    )
}

fn find(tree: &Tree, wanted: fn(&File) -> bool, fault: fn(&str) -> Option<&'static str>) -> Vec<String> {
    let mut violations = Vec::new();
    for file in tree.files.iter().filter(|file| wanted(file)) {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(what) = fault(line) {
                let path = file.path.display();
                violations.push(format!(
                    "{path}:{}: {what}: {}",
                    number + 1,
                    shortened(line.trim())
                ));
            }
        }
    }
    violations
}

fn is(file: &File, extensions: &[&str]) -> bool {
    file.path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|own| extensions.contains(&own))
}

fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !inside(line[..at].chars().next_back()) && !inside(line[at + word.len()..].chars().next())
    })
}

fn shortened(line: &str) -> String {
    line.chars().take(90).collect()
}
