//! The real process, killed while it answers: what it answered stays so.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::world::KEY;

fn start(folder: &Path, listen: SocketAddr, ops: SocketAddr) -> Child {
    Command::new(env!("CARGO_BIN_EXE_psp-sandbox"))
        .env_clear()
        .env("LISTEN_ADDR", listen.to_string())
        .env("OPS_ADDR", ops.to_string())
        .env("DATA_DIR", folder)
        .env("API_KEY", KEY)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Pays under a key; `None` if the process died on the way.
async fn pay(http: &reqwest::Client, listen: SocketAddr, key: &str) -> Option<String> {
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
    ];
    let url = format!("http://{listen}/v1/payment_intents");
    let request = http
        .post(url)
        .bearer_auth(KEY)
        .header("idempotency-key", key)
        .form(&form);
    let intent: Value = request.send().await.ok()?.json().await.ok()?;
    Some(intent["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn kill_9_loses_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (listen, ops) = (free_address(), free_address());
    let http = service_kit::http::client(Duration::from_secs(5));
    let answered: Mutex<HashMap<String, String>> = Mutex::default();
    let mut process = start(folder.path(), listen, ops);
    for round in 0..3 {
        let payments = (0..8).map(|client| {
            let (http, answered) = (&http, &answered);
            async move {
                let mut number = 0;
                loop {
                    let key = format!("{round}-{client}-{number}");
                    match pay(http, listen, &key).await {
                        Some(id) => {
                            answered.lock().unwrap().insert(key, id);
                            number += 1;
                        }
                        // Not up yet.
                        None if number == 0 => tokio::time::sleep(Duration::from_millis(10)).await,
                        None => return,
                    }
                }
            }
        });
        let kill = async {
            while answered.lock().unwrap().len() < (round + 1) * 40 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            process.kill().await.unwrap();
        };
        tokio::join!(futures::future::join_all(payments), kill);
        process = start(folder.path(), listen, ops);
    }
    let answered = answered.into_inner().unwrap();
    for (key, id) in &answered {
        let again = loop {
            if let Some(again) = pay(&http, listen, key).await {
                break again;
            }
        };
        assert_eq!(&again, id, "{key}");
    }
}
