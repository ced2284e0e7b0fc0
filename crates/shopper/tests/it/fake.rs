//! A graph that remembers what it was asked, and fails where a test says so.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const LAST: i64 = 5;

/// What the graph was asked, and where it should fail.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) products: Mutex<BTreeSet<String>>,
    pub(crate) stock: Mutex<BTreeSet<String>>,
    pub(crate) order_keys: Mutex<Vec<String>>,
    pub(crate) subscribed_after: Mutex<Vec<i64>>,
    pub(crate) bearers_seen: Mutex<Vec<String>>,
    /// Ends the connection after so many events, without a word; 0 never does.
    pub(crate) cut_after: AtomicI64,
    /// Answers the first attempt of each request with UNAVAILABLE.
    pub(crate) unavailable_first: AtomicBool,
    /// A product that is refused by a user error.
    pub(crate) refuse_slug: Mutex<Option<String>>,
    /// A product that breaks its request for good.
    pub(crate) break_slug: Mutex<Option<String>>,
    seen: Mutex<HashSet<String>>,
}

/// A running made-up graph.
pub(crate) struct Fake(pub(crate) Arc<Memory>, String);

impl Fake {
    pub(crate) async fn start() -> Self {
        let memory = Arc::new(Memory::default());
        let router = Router::new()
            .route("/graphql", post(answer))
            .route("/graphql/ws", get(upgrade))
            .route("/api/mails", get(mails))
            .with_state(Arc::clone(&memory));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self(memory, address)
    }

    pub(crate) fn graphql(&self) -> String {
        format!("http://{}/graphql", self.1)
    }

    pub(crate) fn ws(&self) -> String {
        format!("ws://{}/graphql/ws", self.1)
    }
}

async fn answer(State(memory): State<Arc<Memory>>, Json(request): Json<Value>) -> Json<Value> {
    let failed = |code: &str| Json(json!({"errors": [{"message": "no", "extensions": {"code": code}}]}));
    let first = memory.seen.lock().unwrap().insert(request.to_string());
    if first && memory.unavailable_first.load(Ordering::SeqCst) {
        return failed("UNAVAILABLE");
    }
    let operation = request["operationName"].as_str().unwrap();
    let variables = &request["variables"];
    match memory.data(operation, variables) {
        Some(data) => Json(json!({ "data": data })),
        None => failed("INTERNAL"),
    }
}

impl Memory {
    fn data(&self, operation: &str, variables: &Value) -> Option<Value> {
        let input = &variables["input"];
        let data = match operation {
            "Register" => json!({"register": {"session": session(), "userErrors": []}}),
            "Login" => json!({"login": {"session": session(), "userErrors": []}}),
            "Variants" => json!({ "variants": variants(&variables["skus"]) }),
            "CreateCart" => {
                json!({"createCart": {"userErrors": [], "cart": {"id": "cart_1", "version": 1, "subtotal": money()}}})
            }
            "CreateOrder" => self.order(input),
            "ImportProducts" => self.import(input)?,
            "ImportStock" => self.receive(input),
            _ => return None,
        };
        Some(data)
    }

    fn order(&self, input: &Value) -> Value {
        let key = input["idempotencyKey"].as_str().unwrap();
        self.order_keys.lock().unwrap().push(key.to_owned());
        json!({"createOrder": {"userErrors": [], "order": {
            "id": "ord_1", "number": "M-1", "status": "PENDING", "cancelReason": null, "total": money()}}})
    }

    fn import(&self, input: &Value) -> Option<Value> {
        let products = input["products"].as_array().unwrap();
        let slugs: Vec<&str> = products
            .iter()
            .map(|product| product["slug"].as_str().unwrap())
            .collect();
        if self
            .break_slug
            .lock()
            .unwrap()
            .as_deref()
            .is_some_and(|slug| slugs.contains(&slug))
        {
            return None;
        }
        let (mut errors, mut created) = (Vec::new(), 0);
        for (index, slug) in slugs.into_iter().enumerate() {
            if self.refuse_slug.lock().unwrap().as_deref() == Some(slug) {
                let field = json!(["input", "products", index.to_string(), "title"]);
                errors.push(json!({"code": "INVALID", "message": "no", "field": field}));
            } else {
                created += i32::from(self.products.lock().unwrap().insert(slug.to_owned()));
            }
        }
        Some(
            json!({"importProducts": {"created": created, "updated": 0, "unchanged": 0, "userErrors": errors}}),
        )
    }

    fn receive(&self, input: &Value) -> Value {
        let lines = input["lines"].as_array().unwrap();
        let skus = lines.iter().map(|line| line["sku"].as_str().unwrap().to_owned());
        self.stock.lock().unwrap().extend(skus);
        json!({"importStock": {"raised": lines.len(), "unchanged": 0, "userErrors": []}})
    }
}

fn session() -> Value {
    json!({"accessToken": "access-1", "refreshToken": "refresh-1", "expiresAt": "2999-01-01T00:00:00Z", "user": {"id": "usr_1"}})
}

fn money() -> Value {
    json!({"amount": "1.00", "currencyCode": "USD"})
}

/// Every SKU has a variant, but for the one of product 404.
fn variants(skus: &Value) -> Vec<Value> {
    let skus = skus.as_array().unwrap().iter();
    skus.map(|sku| {
        if sku == "CJ-404" {
            Value::Null
        } else {
            json!({"id": format!("var_{sku}"), "sku": sku})
        }
    })
    .collect()
}

/// What a catching mail server has for somebody.
async fn mails(Query(asked): Query<HashMap<String, String>>) -> Json<Value> {
    let text = format!("Hello {}", asked["to"]);
    Json(json!([{"subject": "Your order is paid", "text": text, "html": "", "raw": ""}]))
}

async fn upgrade(State(memory): State<Arc<Memory>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["graphql-transport-ws"])
        .on_upgrade(move |socket| serve(memory, socket))
}

async fn serve(memory: Arc<Memory>, mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Text(text) = message else { continue };
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["type"].as_str().unwrap() {
            "connection_init" => {
                let bearer = message["payload"]["authorization"].as_str().unwrap().to_owned();
                memory.bearers_seen.lock().unwrap().push(bearer);
                say(&mut socket, json!({"type": "connection_ack"})).await;
            }
            "subscribe" if message["payload"]["operationName"] == "NotificationReceived" => {
                let notice = json!({"kind": "ORDER_PAID", "title": "Paid", "body": "It is.", "order": {"id": "ord_1"}});
                let data = json!({"data": {"notificationReceived": notice}});
                say(
                    &mut socket,
                    json!({"type": "next", "id": message["id"], "payload": data}),
                )
                .await;
            }
            "subscribe" if !progress(&memory, &mut socket, &message).await => return,
            _ => {}
        }
    }
}

/// Tells the steps of an order; whether the connection goes on.
async fn progress(memory: &Memory, socket: &mut WebSocket, message: &Value) -> bool {
    let (id, variables) = (&message["id"], &message["payload"]["variables"]);
    if variables["orderId"] != "ord_1" {
        let errors = json!([{"message": "no", "extensions": {"code": "FORBIDDEN"}}]);
        say(socket, json!({"type": "error", "id": id, "payload": errors})).await;
        return true;
    }
    let after = variables["afterSequence"].as_i64().unwrap();
    memory.subscribed_after.lock().unwrap().push(after);
    let cut_after = memory.cut_after.load(Ordering::SeqCst);
    // The state before comes first, as after a real reconnect.
    for sequence in after.max(1)..=LAST {
        if cut_after > 0 && sequence > after + cut_after {
            return false;
        }
        let done = sequence == LAST;
        let status = if done { "PAID" } else { "PENDING" };
        let event = json!({"sequence": sequence, "step": if done { "PAID" } else { "CREATED" }, "status": status, "message": "", "at": "2026-01-01T00:00:00Z"});
        let order = json!({"id": "ord_1", "status": status, "cancelReason": null, "isFinal": done});
        let data = json!({"orderProgress": {"event": event, "order": order}});
        say(
            socket,
            json!({"type": "next", "id": id, "payload": {"data": data}}),
        )
        .await;
    }
    say(socket, json!({"type": "complete", "id": id})).await;
    true
}

async fn say(socket: &mut WebSocket, message: Value) {
    // A client that left is the test's affair.
    let _ = socket.send(Message::Text(message.to_string().into())).await;
}
