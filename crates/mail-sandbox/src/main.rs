//! The sandbox as a process.
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::run(
        "mail-sandbox",
        mail_sandbox::Config::from_env,
        mail_sandbox::start,
    )
    .await
}
