//! The audit as a process.
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::run(
        "auditor-watch",
        auditor::watch::Config::from_env,
        auditor::watch::start,
    )
    .await
}
