//! `cargo xtask tidy`: the rules of the house that no compiler knows. Pure over a folder of files, so that each
//! rule has a fixture that breaks it.

mod confine;
mod direction;
mod features;
mod layout;
mod text;
mod tree;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use self::tree::Tree;
use crate::{manifests, workspace};

pub(crate) fn run() -> Result<ExitCode> {
    let files = check()?;
    println!("{files} files are tidy");
    Ok(ExitCode::SUCCESS)
}

/// Fails with every violation; returns how many files were read.
pub(crate) fn check() -> Result<usize> {
    let tree = Tree::read(&workspace::root())?;
    let mut violations = violations(&tree);
    let stale = manifests::stale(&workspace::root())?;
    violations.extend(
        stale
            .keys()
            .map(|name| format!("{name}: not as cargo xtask manifests writes it")),
    );
    if !violations.is_empty() {
        bail!("{} violations\n  {}", violations.len(), violations.join("\n  "));
    }
    Ok(tree.files.len())
}

fn violations(tree: &Tree) -> Vec<String> {
    let rules: [fn(&Tree) -> Vec<String>; 10] = [
        direction::dependencies,
        features::faults_are_asked_for,
        confine::crates,
        confine::errors_are_counted,
        confine::pure_modules,
        layout::file_sizes,
        layout::module_names,
        layout::readmes,
        text::unfinished,
        text::machine_paths,
    ];
    let mut all: Vec<String> = rules.iter().flat_map(|rule| rule(tree)).collect();
    all.sort();
    all
}

/// Whether `path` lies in the folder `folder`, both relative to the checkout.
fn is_under(path: &Path, folder: &str) -> bool {
    path.starts_with(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The violations of a checkout that consists of these files.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        violations(&Tree::read(folder.path()).unwrap())
    }

    #[track_caller]
    fn only(files: &[(&str, &str)], expected: &str) {
        let found = found(files);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains(expected), "{found:#?}");
    }

    #[test]
    fn a_tidy_checkout_passes() {
        let found = found(&[
            (
                "subgraphs/order/Cargo.toml",
                "[dependencies]\ncontracts.workspace = true\npg-kit.workspace = true\n",
            ),
            ("subgraphs/order/README.md", "# order\n"),
            ("subgraphs/order/src/store/orders.rs", "use sqlx::query;\n"),
            (
                "subgraphs/order/src/graphql/query.rs",
                "use async_graphql::Object;\n",
            ),
            (
                "subgraphs/order/src/app/pay.rs",
                "// async_graphql is not used here\n",
            ),
            ("crates/event-bus/src/lib.rs", "use lapin::Channel;\n"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_subgraph_may_not_depend_on_another() {
        let manifest = "[dependencies]\ncart = { path = \"../cart\" }\n";
        only(
            &[
                ("subgraphs/order/Cargo.toml", manifest),
                ("subgraphs/order/README.md", ""),
                ("subgraphs/cart/Cargo.toml", "[package]\n"),
                ("subgraphs/cart/README.md", ""),
            ],
            "order may not depend on cart",
        );
    }

    #[test]
    fn a_kit_may_not_depend_upwards() {
        let files = [
            (
                "crates/contracts/Cargo.toml",
                "[dependencies]\nservice-kit.workspace = true\n",
            ),
            (
                "crates/service-kit/Cargo.toml",
                "[dev-dependencies]\ntest-kit.workspace = true\n",
            ),
            ("crates/test-kit/Cargo.toml", "[package]\n"),
        ];
        only(&files, "contracts may not depend on service-kit");
    }

    #[test]
    fn test_kit_is_for_tests() {
        let files = [
            (
                "crates/pg-kit/Cargo.toml",
                "[dependencies]\ntest-kit = { workspace = true }\n",
            ),
            ("crates/test-kit/Cargo.toml", "[package]\n"),
        ];
        only(&files, "pg-kit may not depend on test-kit");
    }

    #[test]
    fn faults_are_in_no_ordinary_build() {
        let manifest = |text| [("crates/auditor/Cargo.toml", text)];
        only(
            &manifest("[features]\ndefault = [\"faults\"]\nfaults = [\"service-kit/faults\"]\n"),
            "without being asked for",
        );
        only(
            &manifest("[dev-dependencies]\nx = { workspace = true, features = [\"faults\"] }\n"),
            "without being asked for",
        );
        only(
            &manifest("[features]\nmore = [\"order/faults\"]\n"),
            "without being asked for",
        );
        let fine = "[features]\nfaults = [\"dep:rustix\"]\n[dependencies]\nrustix = { workspace = true, optional = true }\n";
        assert_eq!(found(&manifest(fine)), Vec::<String>::new());
    }

    #[test]
    fn graphql_stays_in_its_door() {
        only(
            &[("subgraphs/cart/src/app/add.rs", "use async_graphql::ID;\n")],
            "async_graphql",
        );
    }

    #[test]
    fn sql_stays_in_the_store() {
        only(
            &[("subgraphs/cart/src/rest.rs", "let row = sqlx::query(\"\");\n")],
            "sqlx",
        );
    }

    #[test]
    fn redis_stays_in_the_store() {
        only(&[("subgraphs/cart/src/app/add.rs", "use redis::cmd;\n")], "redis");
    }

    #[test]
    fn lapin_stays_in_the_event_bus() {
        only(
            &[("subgraphs/cart/src/store/a.rs", "use lapin::Channel;\n")],
            "lapin",
        );
    }

    #[test]
    fn errors_of_statements_are_counted() {
        only(
            &[(
                "subgraphs/cart/src/app/mod.rs",
                "    Store(#[from] sqlx::Error),\n",
            )],
            "count_error",
        );
    }

    #[test]
    fn the_domain_is_pure() {
        only(
            &[("subgraphs/order/src/domain/order.rs", "pub async fn pay() {}\n")],
            "async",
        );
        only(
            &[("subgraphs/order/src/saga.rs", "let now = clock.now();\n")],
            "clock",
        );
    }

    #[test]
    fn large_files_need_a_reason() {
        let large = "\n".repeat(501);
        only(&[("crates/auditor/src/books.rs", &large)], "501 lines");
        let allowed = [
            ("crates/auditor/src/books.rs", large.as_str()),
            ("xtask/tidy-allow.txt", "crates/auditor/src/books.rs one table\n"),
        ];
        assert_eq!(found(&allowed), Vec::<String>::new());
        only(
            &[("xtask/tidy-allow.txt", "crates/auditor/src/books.rs one table\n")],
            "not needed",
        );
        only(
            &[
                ("crates/a/src/b.rs", &large),
                ("xtask/tidy-allow.txt", "crates/a/src/b.rs\n"),
            ],
            "without a reason",
        );
    }

    #[test]
    fn vague_module_names_are_refused() {
        only(&[("crates/auditor/src/utils.rs", "")], "utils");
        only(&[("subgraphs/cart/src/common/mod.rs", "")], "common");
    }

    #[test]
    fn a_subgraph_has_a_short_readme() {
        only(&[("subgraphs/cart/Cargo.toml", "[package]\n")], "no README.md");
        let long = "\n".repeat(41);
        only(
            &[
                ("subgraphs/cart/Cargo.toml", "[package]\n"),
                ("subgraphs/cart/README.md", &long),
            ],
            "41 lines",
        );
    }

    #[test]
    fn main_stays_small() {
        only(&[("subgraphs/cart/src/main.rs", &"\n".repeat(51))], "51 lines");
    }

    #[test]
    fn nothing_is_left_unfinished() {
        let text = ["// TO", "DO: later\n"].concat();
        only(&[("crates/auditor/src/a.rs", &text)], "unfinished");
    }

    #[test]
    fn no_machine_leaks_in() {
        let path = ["see /ho", "me/ada/notes\n"].concat();
        only(&[("docs/a.md", &path)], "machine");
        let lock = ["{\"reso", "lved\": \"https://example.com/a.tgz\"}\n"].concat();
        only(&[("web-demo/package-lock.json", &lock)], "download address");
    }
}
