//! `cargo xtask events`: the operator against the started system, for given-up events.

use std::process::ExitCode;

use anyhow::Result;

use crate::saga::{Arguments, operator};
use crate::tools;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    tools::exec(operator(&tools::attached()?.plan(), "events", arguments))
}
