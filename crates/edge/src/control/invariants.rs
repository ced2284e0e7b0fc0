//! The auditor, asked to look at the books of the running system.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dev_stack::stack::Plan;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::Mutex;

const PATIENCE: Duration = Duration::from_secs(20);
/// Several rooms looking at once are one look.
const FRESH: Duration = Duration::from_secs(3);
/// What changed more recently is not judged, as the auditor does beside live traffic.
const GRACE_S: &str = "20";

/// The last look; held while the next is taken, so that there is one auditor at a time.
#[derive(Clone, Default)]
pub(super) struct Invariants {
    last: Arc<Mutex<Option<(Instant, Value)>>>,
}

impl Invariants {
    pub(super) async fn look(&self, plan: &Plan) -> Result<Value> {
        let mut last = self.last.lock().await;
        if let Some((at, value)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(with_age(value, at.elapsed()));
        }
        let value = audit(plan).await?;
        *last = Some((Instant::now(), value.clone()));
        Ok(with_age(&value, Duration::ZERO))
    }
}

fn with_age(report: &Value, age: Duration) -> Value {
    json!({ "ageMs": u64::try_from(age.as_millis()).unwrap_or(u64::MAX), "findings": report["findings"] })
}

/// Reads the databases alone: counting the broker's messages and reading all logs takes longer than a look may.
async fn audit(plan: &Plan) -> Result<Value> {
    let mut command = Command::new(plan.binaries.join("auditor"));
    for service in ["order", "inventory", "payment"] {
        command.env(
            format!("{}_DATABASE_URL", service.to_uppercase()),
            plan.database_url(service),
        );
    }
    command.args(["--json", "--grace", GRACE_S]).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .context("the auditor takes too long: is a database frozen?")?
        .context("the auditor does not start")?;
    if output.stdout.is_empty() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("the auditor's report")
}
