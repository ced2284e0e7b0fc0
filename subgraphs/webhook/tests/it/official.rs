//! The official library for Node verifies what we send.
//!
//! Needs `node` and `npm`; the library is installed once, from the lock file, into a folder under `target/`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::stage::{Stage, placed};

fn script_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node")
}

async fn install(into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    for name in ["package.json", "package-lock.json", "check.mjs"] {
        std::fs::copy(script_folder().join(name), into.join(name)).unwrap();
    }
    if into.join("node_modules/standardwebhooks/package.json").exists() {
        return;
    }
    let npm = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--silent"])
        .current_dir(into)
        .status()
        .await
        .unwrap();
    assert!(npm.success(), "npm ci failed");
}

#[tokio::test]
async fn the_official_library_is_content() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standardwebhooks-node");
    install(&target).await;
    let stage = Stage::new().await;
    let (id, old) = stage.endpoint("hook").await;
    let rotate =
        "mutation($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret } }";
    let input = serde_json::json!({ "id": id, "idempotencyKey": "rotate-for-node" });
    let answer = stage.admin(rotate, input).await;
    let new = answer["data"]["rotateWebhookSecret"]["secret"].as_str().unwrap();
    let order = placed();
    let order_id = order.order_id.to_string();
    stage.hear(order).await;
    stage.send().await;
    let sent = stage.receiver.received().remove(0);
    let output = Command::new("node")
        .arg("check.mjs")
        .current_dir(&target)
        .env("WEBHOOK_SECRET_OLD", old)
        .env("WEBHOOK_SECRET_NEW", new)
        .env("WEBHOOK_ID", sent.id())
        .env("WEBHOOK_TIMESTAMP", sent.header("webhook-timestamp"))
        .env("WEBHOOK_SIGNATURE", sent.header("webhook-signature"))
        .env("WEBHOOK_BODY", std::str::from_utf8(&sent.body).unwrap())
        .env("ORDER_ID", order_id)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("all checks passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
