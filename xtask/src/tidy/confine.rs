//! Where the big libraries may be seen, and what must stay pure.

use std::path::Path;

use super::tree::{File, Tree};

/// A library and the predicate of the places that may name it.
struct Confined {
    library: &'static str,
    may: fn(&Path) -> bool,
}

const CONFINED: [Confined; 4] = [
    Confined {
        library: "async_graphql",
        may: may_graphql,
    },
    Confined {
        library: "sqlx",
        may: may_sql,
    },
    Confined {
        library: "redis",
        may: may_redis,
    },
    Confined {
        library: "lapin",
        // The auditor shares no code with what it judges; the faults publish poison and copies, which no service's
        // publisher would; the security suite tries what an account may not.
        may: |path| {
            [
                "crates/event-bus",
                "crates/auditor",
                "tests/faults",
                "tests/security",
            ]
            .iter()
            .any(|folder| super::is_under(path, folder))
        },
    },
];

fn may_graphql(path: &Path) -> bool {
    super::is_under(path, "crates/graphql-kit")
        || in_subgraph(
            path,
            &[
                "src/graphql",
                "src/graphql.rs",
                "src/bin/sdl.rs",
                "src/lib.rs",
                "tests",
            ],
        )
}

/// `app/` and `events.rs` name transactions; only `store/` holds statements.
fn may_sql(path: &Path) -> bool {
    let crates = [
        "crates/event-bus",
        "crates/pg-kit",
        "crates/test-kit",
        "crates/auditor",
        "crates/operator",
        "tests",
    ];
    crates.iter().any(|folder| super::is_under(path, folder))
        || in_subgraph(
            path,
            &[
                "src/store",
                "src/store.rs",
                "src/lib.rs",
                "src/app",
                "src/events.rs",
                "tests",
                "examples",
            ],
        )
}

fn may_redis(path: &Path) -> bool {
    super::is_under(path, "crates/test-kit")
        || super::is_under(path, "crates/redis-kit")
        || super::is_under(path, "crates/rate-limit")
        || in_subgraph(path, &["src/store", "src/store.rs", "src/lib.rs", "tests"])
}

/// These have none of the libraries to use, and name them in other senses.
fn is_tool(path: &Path) -> bool {
    super::is_under(path, "xtask") || super::is_under(path, "crates/dev-stack")
}

/// Whether `path` is one of `places` of any subgraph.
fn in_subgraph(path: &Path, places: &[&str]) -> bool {
    let Ok(inside) = path.strip_prefix("subgraphs") else {
        return false;
    };
    let inside: std::path::PathBuf = inside.components().skip(1).collect();
    places.iter().any(|place| inside.starts_with(place))
}

pub(super) fn crates(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in tree.rust().filter(|file| !is_tool(&file.path)) {
        for rule in CONFINED.iter().filter(|rule| !(rule.may)(&file.path)) {
            for (number, line) in file.code().filter(|(_, line)| names_crate(line, rule.library)) {
                let path = file.path.display();
                violations.push(format!(
                    "{path}:{number}: {} has no business here: {}",
                    rule.library,
                    line.trim()
                ));
            }
        }
    }
    violations
}

/// Error types may be handed on by anybody: a loader's, a use case's.
const ERRORS: [&str; 2] = ["sqlx::Error", "redis::RedisError"];

/// `library::` as a path of its own, not an error's, not the end of a longer name or a word in a text.
fn names_crate(line: &str, library: &str) -> bool {
    let path = format!("{library}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let is_error = ERRORS.iter().any(|error| line[at..].starts_with(error));
        !is_error && !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '"')
    })
}

/// An error of a statement is counted on its way out of a store; `#[from]` would let it through uncounted.
pub(super) fn errors_are_counted(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let counts = |file: &&File| {
        super::is_under(&file.path, "subgraphs") || super::is_under(&file.path, "crates/event-bus")
    };
    for file in tree.rust().filter(counts) {
        for (number, _) in file
            .code()
            .filter(|(_, line)| line.contains("#[from] sqlx::Error"))
        {
            let path = file.path.display();
            violations.push(format!(
                "{path}:{number}: sqlx::Error by #[from]: let From call pg_kit::count_error"
            ));
        }
    }
    violations
}

/// What a pure module may not mention, and what to call it.
const IMPURE: [(&str, &str); 11] = [
    ("async fn", "async"),
    (".await", "async"),
    ("async_trait", "async"),
    ("clock.", "a clock"),
    ("Clock", "a clock"),
    ("Utc::now", "a clock"),
    ("Instant::now", "a clock"),
    ("SystemTime", "a clock"),
    ("tokio::", "I/O"),
    ("std::fs", "I/O"),
    ("reqwest::", "I/O"),
];

pub(super) fn pure_modules(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in tree.rust().filter(|file| is_pure(file)) {
        for (number, line) in file.code() {
            if let Some((_, what)) = IMPURE.iter().find(|(text, _)| line.contains(text)) {
                let path = file.path.display();
                violations.push(format!(
                    "{path}:{number}: {what} in a pure module: {}",
                    line.trim()
                ));
            }
        }
    }
    violations
}

fn is_pure(file: &File) -> bool {
    in_subgraph(
        &file.path,
        &["src/domain", "src/domain.rs", "src/saga", "src/saga.rs"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_by_a_path_of_its_own() {
        assert!(names_crate("use sqlx::PgPool;", "sqlx"));
        assert!(names_crate("fn f(pool: &sqlx::PgPool)", "sqlx"));
        assert!(!names_crate("type Error = Arc<sqlx::Error>;", "sqlx"));
        assert!(!names_crate("use crate::redis::Thing;", "redis"));
        assert!(!names_crate("let my_redis::x", "redis"));
        assert!(!names_crate("the sqlx crate", "sqlx"));
    }
}
