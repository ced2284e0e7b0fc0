//! The sandbox as a process.
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::run("psp-sandbox", psp_sandbox::Config::from_env, psp_sandbox::start).await
}
