//! Stripe's own client library for Node, pointed at the sandbox.
//!
//! Needs `node` and `npm`; the library is installed once, from the lock file, into a folder under `target/`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::world::{KEY, WEBHOOK_SECRET, World};

fn script_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stripe-node")
}

async fn install(into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    for name in ["package.json", "package-lock.json", "check.mjs"] {
        std::fs::copy(script_folder().join(name), into.join(name)).unwrap();
    }
    if into.join("node_modules/stripe/package.json").exists() {
        return;
    }
    let npm = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--silent"])
        .current_dir(into)
        .status()
        .await
        .expect("npm is installed");
    assert!(npm.success(), "npm ci failed");
}

#[tokio::test]
async fn stripes_own_client_is_content() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripe-node");
    install(&target).await;
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let paid = world.pay("pm_card_visa").await.1;
    let webhook = world.merchant.wait_for(1).await.remove(0);
    let output = Command::new("node")
        .arg("check.mjs")
        .current_dir(&target)
        .env("PSP_BASE_URL", world.base.as_str())
        .env("PSP_API_KEY", KEY)
        .env("WEBHOOK_SECRET", WEBHOOK_SECRET)
        .env("WEBHOOK_SIGNATURE", &webhook.signature)
        .env("WEBHOOK_BODY", &webhook.body)
        .env("WEBHOOK_INTENT", paid["id"].as_str().unwrap())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("node is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("all checks passed"), "{said}");
}
