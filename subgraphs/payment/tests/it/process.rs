//! The real process, killed again and again while orders pay, give up and refund.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use contracts::OrderId;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use service_auth::{ServiceKey, keys};
use test_kit::GATEWAY_KEY;
use tokio::process::{Child, Command};

use crate::world::{PSP_KEY, WEBHOOK_SECRET, World, terms};

const ORDERS: usize = 36;
const KILLS: usize = 6;
const BETWEEN_KILLS: Duration = Duration::from_millis(350);

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// The service's process and how order reaches it. The broker is away all the time: payment goes on without it.
struct Service {
    environment: Vec<(&'static str, String)>,
    internal: SocketAddr,
    token: String,
    http: reqwest::Client,
}

impl Service {
    fn new(world: &World, folder: &Path) -> Self {
        let own = keys::generate().unwrap();
        let order = keys::generate().unwrap();
        std::fs::write(folder.join("own.pem"), &own.private_pem).unwrap();
        std::fs::create_dir(folder.join("callers")).unwrap();
        std::fs::write(folder.join("callers/order.pem"), &order.public_pem).unwrap();
        let internal = free_address();
        let path = |name: &str| folder.join(name).display().to_string();
        let environment = vec![
            ("GRAPHQL_ADDR", free_address().to_string()),
            ("INTERNAL_ADDR", internal.to_string()),
            ("OPS_ADDR", free_address().to_string()),
            ("PUBLIC_ADDR", free_address().to_string()),
            ("GATEWAY_KEY", GATEWAY_KEY.to_owned()),
            ("JWKS_URL", "http://127.0.0.1:1/jwks".to_owned()),
            ("SERVICE_KEY_FILE", path("own.pem")),
            ("SERVICE_KEYS_DIR", path("callers")),
            ("DATABASE_URL", world.db.url.clone()),
            ("AMQP_URL", "amqp://127.0.0.1:1/%2f".to_owned()),
            ("REDIS_URL", "redis://127.0.0.1:1".to_owned()),
            ("PSP_BASE_URL", world.psp_url().to_string()),
            ("PSP_API_KEY", PSP_KEY.to_owned()),
            ("PSP_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("PSP_TIMEOUT_MS", "300".to_owned()),
        ];
        let token = ServiceKey::from_pem("order", &order.private_pem)
            .unwrap()
            .mint("payment");
        Self {
            environment,
            internal,
            token,
            http: service_kit::http::client(Duration::from_secs(2)),
        }
    }

    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_payment"))
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Asks until the answer is definite, as the saga does.
    async fn insist(&self, method: Method, path: String, body: Option<Value>) -> (StatusCode, Value) {
        loop {
            let url = format!("http://{}{path}", self.internal);
            let mut request = self.http.request(method.clone(), url).bearer_auth(&self.token);
            if let Some(body) = &body {
                request = request.json(body);
            }
            if let Ok(response) = request.send().await
                && response.status() != StatusCode::SERVICE_UNAVAILABLE
            {
                let status = response.status();
                if let Ok(body) = response.json().await {
                    return (status, body);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// An order's life: start, perhaps give up, and send back what was captured all the same.
    async fn live(&self, number: usize, order: OrderId) {
        let methods = [
            "pm_card_visa",
            "pm_mercato_slow",
            "pm_mercato_timeoutThenOk",
            "pm_card_chargeDeclined",
        ];
        let start = json!(terms(methods[number % methods.len()]));
        self.insist(Method::PUT, format!("/payments/{order}"), Some(start))
            .await;
        if number.is_multiple_of(3) {
            return;
        }
        let (_, void) = self
            .insist(Method::POST, format!("/payments/{order}/void"), None)
            .await;
        if void["outcome"] == "ALREADY_CAPTURED" {
            let path = format!("/payments/{order}/refunds/late_payment");
            let (status, _) = self.insist(Method::POST, path, Some(json!({}))).await;
            assert_eq!(status, StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_agrees_with_the_provider() {
    let world = World::quiet().await;
    let folder = tempfile::tempdir().unwrap();
    let service = Service::new(&world, folder.path());
    let orders: Vec<_> = (0..ORDERS).map(|_| OrderId::generate()).collect();
    let lives = futures::future::join_all(
        orders
            .iter()
            .enumerate()
            .map(|(n, order)| service.live(n, *order)),
    );
    let kills = async {
        let mut process = service.start();
        for _ in 0..KILLS {
            tokio::time::sleep(BETWEEN_KILLS).await;
            process.kill().await.unwrap();
            process = service.start();
        }
        process
    };
    let (_, process) = tokio::join!(lives, kills);
    drop(process);
    let open = "SELECT (SELECT count(*) FROM payment WHERE status IN ('INITIATED', 'REFUND_PENDING'))
                     + (SELECT count(*) FROM refund WHERE status = 'PENDING')";
    while world.count(open).await > 0 {
        world.recover().await;
    }
    for order in orders {
        agrees(&world, order).await;
    }
    let totals = world.psp_get("_sandbox/totals").await;
    let net = |field: &str| totals[field]["usd"].as_i64().unwrap();
    assert_eq!(
        world.held_minor().await,
        net("captured_minor") - net("refunded_minor")
    );
}

async fn agrees(world: &World, order: OrderId) {
    let charges = world.charges(order).await;
    assert_eq!(charges.len(), 1, "{charges:?}");
    let charge = &charges[0];
    let held = charge["captured_minor"].as_i64().unwrap() - charge["refunded_minor"].as_i64().unwrap();
    let expected = match world.status(order).await.as_str() {
        "CAPTURED" => 1999,
        "FAILED" | "VOIDED" | "REFUNDED" => 0,
        other => panic!("{order} is {other}"),
    };
    assert_eq!(held, expected, "{charge}");
    assert!(charge["refunds"].as_i64().unwrap() <= 1);
    let captures = world
        .event_kinds(order)
        .await
        .iter()
        .filter(|kind| *kind == "payment.succeeded.v1")
        .count();
    assert_eq!(captures, usize::from(charge["captured_minor"] != 0));
}
