//! A service that is configured badly does not start, and names everything that is wrong.

use std::process::Command;

use anyhow::{Result, ensure};
use roster::SERVICES;

use crate::Case;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[(
    "a service without its variables names all that are missing",
    missing,
)];

fn missing(world: &World) -> Result<()> {
    for service in SERVICES {
        let output = Command::new(world.stack.plan().binaries.join(service))
            .env_clear()
            .output()?;
        ensure!(output.status.code() == Some(78), "{service}: {}", output.status);
        let log = String::from_utf8(output.stdout)?;
        let mut wanted = vec!["GRAPHQL_ADDR", "INTERNAL_ADDR", "OPS_ADDR", "GATEWAY_KEY"];
        if service != "cart" {
            wanted.push("DATABASE_URL");
        }
        for name in wanted {
            ensure!(log.contains(name), "{service} does not name {name}: {log}");
        }
    }
    Ok(())
}
