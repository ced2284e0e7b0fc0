//! Everything that is deployed, checked without a cluster. What can't run here says so and counts as ignored, or fails
//! where `MERCATO_REQUIRE_TOOLS` is set.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stderr, reason = "the harness tells people")]

mod agreement;
mod cluster;
mod configuration;
mod faults;
mod live;
mod observability;
mod rules;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A test: what it is called, the programs it needs (`|` between alternatives), what it does.
type Case = (&'static str, &'static [&'static str], fn() -> anyhow::Result<()>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let strict = std::env::var_os("MERCATO_REQUIRE_TOOLS").is_some();
    let cases: Vec<Case> = [
        agreement::CASES,
        cluster::CASES,
        configuration::CASES,
        faults::CASES,
        live::CASES,
        observability::CASES,
        rules::CASES,
    ]
    .concat();
    let trials = cases
        .into_iter()
        .map(|(name, needs, test)| {
            let missing: Vec<&str> = needs.iter().copied().filter(|need| !is_here(need)).collect();
            let run = Trial::test(name, move || test().map_err(|error| format!("{error:#}").into()));
            if missing.is_empty() {
                return run;
            }
            let sentence = format!(
                "{name} did not run: this machine has no {}",
                missing.join(", no ")
            );
            eprintln!("{sentence}");
            if strict {
                Trial::test(name, move || Err(sentence.into()))
            } else {
                run.with_ignored_flag(true)
            }
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A program of PATH or our cache, or something else that was fetched.
fn is_here(need: &str) -> bool {
    need.split('|').any(|name| match name {
        "schemas" => rules::VERSIONS
            .iter()
            .all(|version| deploy::tools::schemas(version).is_some()),
        "definitions" => deploy::tools::definitions().is_some(),
        "the services' programs" => configuration::binaries().is_some(),
        program => deploy::tools::find(program).is_some(),
    })
}
