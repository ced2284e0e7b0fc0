//! What a process leaves behind at a crash point, and waiting for it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use contracts::OrderId;
use serde_json::Value;

/// Proof that a point was reached.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    /// The order that was there, where the point knows one.
    pub(crate) order: Option<OrderId>,
}

/// Forgets earlier proofs.
pub(crate) fn forget(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        std::fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// Waits for a proof of `point`; without one the row has proven nothing and fails.
pub(crate) async fn wait(folder: &Path, point: &str, patience: Duration) -> Result<Evidence> {
    let begun = Instant::now();
    loop {
        if let Some(evidence) = look(folder, point)? {
            return Ok(evidence);
        }
        if begun.elapsed() >= patience {
            bail!("the point {point} did not fire within {} s", patience.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn look(folder: &Path, point: &str) -> Result<Option<Evidence>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let proof: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        if proof["point"] == point {
            let order = proof["order"].as_str().and_then(|order| order.parse().ok());
            return Ok(Some(Evidence { order }));
        }
    }
    Ok(None)
}
