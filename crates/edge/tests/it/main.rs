//! The edge before servers that stand in for the router and order's WebSocket.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use contracts::{SessionId, UserId};
use edge::{Config, Development};
use futures::{SinkExt, StreamExt};
use service_auth::issue::UserSigner;
use service_auth::{Role, UserVerifier, UserVerifierConfig, keys};
use service_kit::{Clock, Host};
use tokio_tungstenite::tungstenite;

/// Serves on a free port until the test ends.
async fn serve(router: Router) -> SocketAddr {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(socket, service).await.unwrap() });
    addr
}

/// Says what it was asked, and repeats what is said over its WebSocket.
fn stand_in() -> Router {
    let told = async |headers: HeaderMap, body: String| {
        let forwarded = headers
            .get("x-forwarded-for")
            .map_or("", |value| value.to_str().unwrap());
        format!("{body} from {forwarded}")
    };
    let echo = async |upgrade: WebSocketUpgrade| {
        upgrade
            .protocols(["graphql-transport-ws"])
            .on_upgrade(async |mut socket| {
                while let Some(Ok(Message::Text(text))) = socket.next().await {
                    let _ = socket.send(Message::Text(text)).await;
                }
            })
    };
    Router::new()
        .route("/graphql", post(told))
        .route(
            "/graphql/staff",
            post(async |body: String| format!("staff: {body}")),
        )
        .route("/graphql/ws", get(echo))
        .route("/graphql/ws/notification", get(echo))
}

fn write_page(folder: &Path) {
    std::fs::create_dir(folder.join("assets")).unwrap();
    std::fs::write(folder.join("index.html"), "<!doctype html><title>shop</title>").unwrap();
    std::fs::write(folder.join("assets/a-1.js"), "plain").unwrap();
    std::fs::write(folder.join("assets/a-1.js.br"), "packed").unwrap();
    std::fs::create_dir_all(folder.join("graphiql/assets")).unwrap();
    std::fs::write(
        folder.join("graphiql/index.html"),
        "<!doctype html><title>graph</title>",
    )
    .unwrap();
    std::fs::write(folder.join("graphiql/assets/b-1.js"), "large").unwrap();
}

struct World {
    base: String,
    signer: UserSigner,
    client: reqwest::Client,
    _page: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        Self::start_as(true).await
    }

    async fn start_as(is_development: bool) -> Self {
        let page = tempfile::tempdir().unwrap();
        write_page(page.path());
        let behind = serve(stand_in()).await.to_string();
        let pem = keys::generate().unwrap().private_pem;
        let signer = UserSigner::from_pem("test", &pem, "mercato", "mercato").unwrap();
        let verifier =
            UserVerifier::try_fixed(&signer.jwks(), "mercato", "mercato", Clock::system()).unwrap();
        let config = Config {
            public: "127.0.0.1:0".parse().unwrap(),
            page: page.path().to_path_buf(),
            graph: behind.clone(),
            staff: behind.clone(),
            live: roster::LIVE.map(|name| (name.to_owned(), behind.clone())).into(),
            // Nobody listens there.
            keys: "127.0.0.1:1".to_owned(),
            trace_viewer: Some("http://traces.example/{traceId}".to_owned()),
            development: is_development.then(|| Development {
                folder: page.path().join("no-system"),
                users: UserVerifierConfig {
                    jwks_url: "http://127.0.0.1:1/keys".parse().unwrap(),
                    issuer: "mercato".to_owned(),
                    audience: "mercato".to_owned(),
                },
            }),
        };
        let router = edge::router(
            &config,
            &Host::for_test("edge"),
            is_development.then_some(verifier),
        );
        Self {
            base: serve(router).await.to_string(),
            signer,
            client: service_kit::http::client(Duration::from_secs(5)),
            _page: page,
        }
    }

    fn token(&self, role: Role) -> String {
        let ttl = Duration::from_mins(5);
        let roles = [role].as_slice().into();
        self.signer
            .mint(UserId::generate(), roles, SessionId::generate(), ttl)
            .0
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("http://{}{path}", self.base))
    }
}

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn requests_pass_through_with_the_peers_true_address() {
    let world = World::start().await;
    let answer = world
        .client
        .post(format!("http://{}/graphql", world.base))
        .header("x-forwarded-for", "10.9.8.7")
        .body("{me}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "{me} from 127.0.0.1");
    let staff = world.client.post(format!("http://{}/graphql/staff", world.base));
    let answer = staff.body("{users}").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "staff: {users}");
    let gone = world.get("/.well-known/jwks.json").send().await.unwrap();
    assert_eq!(gone.status(), 502);
    let told: serde_json::Value = gone.json().await.unwrap();
    assert_eq!(told["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}

#[tokio::test]
async fn graphiql_is_there_while_developing_and_never_else() {
    let world = World::start().await;
    let page = world.get("/graphiql/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("graph"));
    let script = world.get("/graphiql/assets/b-1.js").send().await.unwrap();
    assert_eq!(script.text().await.unwrap(), "large");
    let world = World::start_as(false).await;
    for path in [
        "/graphiql",
        "/graphiql/",
        "/graphiql/index.html",
        "/graphiql/assets/b-1.js",
    ] {
        let answer = world.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.text().await.unwrap(), "", "{path}");
    }
    // The rest of the page is as ever.
    assert_eq!(world.get("/orders").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_websocket_passes_through_with_its_protocol() {
    let world = World::start().await;
    let mut request = tungstenite::client::IntoClientRequest::into_client_request(format!(
        "ws://{}/graphql/ws",
        world.base
    ))
    .unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "graphql-transport-ws");
    for word in ["one", "two"] {
        socket
            .send(tungstenite::Message::Text(word.into()))
            .await
            .unwrap();
        let heard = socket.next().await.unwrap().unwrap();
        assert_eq!(heard.into_text().unwrap().as_str(), word);
    }
}

#[tokio::test]
async fn the_page_stands_in_for_addresses_and_not_for_files() {
    let world = World::start().await;
    let page = world.get("/orders/ord_1").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, "cache-control"), "no-cache");
    assert!(header(&page, "content-security-policy").contains("script-src 'self';"));
    let script = world
        .get("/assets/a-1.js")
        .header("accept-encoding", "br")
        .send()
        .await
        .unwrap();
    assert!(header(&script, "cache-control").contains("immutable"));
    assert_eq!(header(&script, "content-encoding"), "br");
    assert_eq!(header(&script, "vary"), "accept-encoding");
    assert_eq!(script.text().await.unwrap(), "packed");
    let gone = world.get("/assets/gone.js").send().await.unwrap();
    assert_eq!(gone.status(), 404);
    let outside = world.get("/..%2f..%2fCargo.toml").send().await.unwrap();
    assert!(!outside.text().await.unwrap().contains("[package]"));
}

#[tokio::test]
async fn plugs_are_for_administrators_from_this_page() {
    let world = World::start().await;
    let ask = async |role: Option<Role>, origin: &str| {
        let mut request = world.get("/_dev/plugs").header("origin", origin);
        if let Some(role) = role {
            request = request.bearer_auth(world.token(role));
        }
        request.send().await.unwrap().status().as_u16()
    };
    let here = format!("http://{}", world.base);
    assert_eq!(ask(None, &here).await, 401);
    assert_eq!(ask(Some(Role::Customer), &here).await, 403);
    assert_eq!(ask(Some(Role::Support), &here).await, 403);
    assert_eq!(ask(Some(Role::Admin), "http://evil.example").await, 403);
    // Let in, and told that no system runs.
    assert_eq!(ask(Some(Role::Admin), &here).await, 409);
}

#[tokio::test]
async fn the_page_is_told_where_traces_are_shown() {
    let world = World::start().await;
    let told: serde_json::Value = world
        .get("/config.json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told["traceViewer"], "http://traces.example/{traceId}");
}

#[tokio::test]
async fn logs_are_for_administrators_too() {
    let world = World::start().await;
    let here = format!("http://{}", world.base);
    let ask = async |role: Role, path: &str| {
        let request = world
            .get(path)
            .header("origin", &here)
            .bearer_auth(world.token(role));
        request.send().await.unwrap().status().as_u16()
    };
    let trace = "/_dev/traces/4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(ask(Role::Support, trace).await, 403);
    // Let in, and told that no system has logs here.
    assert_eq!(ask(Role::Admin, trace).await, 409);
    assert_eq!(ask(Role::Admin, "/_dev/traces/..%2fkeys").await, 404);
}
