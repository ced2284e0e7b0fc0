//! `cargo xtask doctor`.

use std::process::ExitCode;

use dev_stack::{install, router};

pub(crate) fn run() -> ExitCode {
    let missing = install::missing_servers();
    for server in ["PostgreSQL", "Redis", "RabbitMQ"] {
        let word = if missing.contains(&server) {
            "missing: `cargo xtask up` tries to install it"
        } else {
            "found"
        };
        println!("  {server:<14} {word}");
    }
    match router::find() {
        Some(program) => println!("  {:<14} {}", "Apollo Router", program.display()),
        None => println!("  {:<14} missing: `cargo xtask up` gets it", "Apollo Router"),
    }
    if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
