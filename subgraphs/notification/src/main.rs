//! The notification service.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::run(
        "notification",
        notification::Config::from_env,
        notification::start,
    )
    .await
}
