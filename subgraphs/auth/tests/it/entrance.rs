//! Auth with stores of its own, and what people say to it.

use std::time::Duration;

use auth::{Admin, App, Tokens};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use contracts::UserId;
use graphql_kit::HttpConfig;
use serde_json::{Value, json};
use service_auth::issue::UserSigner;
use service_auth::keys;
use service_kit::{Clock, Readiness, Secret};
use test_kit::{AUDIENCE, GATEWAY_KEY, ISSUER, TestDb, TestRedis};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ROOT: &str = "root@example.com";

const SESSION: &str =
    "session { accessToken refreshToken expiresAt user { id email displayName roles createdAt } }
    userErrors { code message field }";

pub(crate) struct Auth {
    pub(crate) app: App,
    pub(crate) graphql: Router,
    pub(crate) clock: Clock,
    pub(crate) readiness: Readiness,
    pub(crate) db: TestDb,
    pub(crate) redis: TestRedis,
}

/// A session as a client keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) user: String,
}

impl Auth {
    pub(crate) async fn open() -> Self {
        let redis = test_kit::redis().await;
        let url = redis.url.clone();
        Self::open_with_redis_at(redis, &url).await
    }

    /// With counters elsewhere, perhaps where nothing is.
    pub(crate) async fn open_with_redis_at(redis: TestRedis, url: &str) -> Self {
        let db = test_kit::postgres(&auth::MIGRATOR).await;
        let (clock, readiness) = (Clock::manual(Clock::system().now()), Readiness::new());
        let pem = keys::generate().unwrap().private_pem;
        let signer = UserSigner::from_pem("test", &pem, ISSUER, AUDIENCE).unwrap();
        let tokens = Tokens {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            access: Duration::from_mins(15),
            session: Duration::from_hours(24 * 30),
        };
        let app = App::try_new(
            db.pool.clone(),
            url,
            &redis.prefix,
            signer,
            tokens,
            clock.clone(),
            &readiness,
        )
        .unwrap();
        let config = HttpConfig::new(GATEWAY_KEY.parse().unwrap(), app.verifier(), false);
        Self {
            graphql: app.graphql_with(config),
            app,
            clock,
            readiness,
            db,
            redis,
        }
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.graphql, token, query, variables).await
    }

    /// A mutation with one input, from an address; its payload.
    async fn mutate(
        &self,
        from: Option<&str>,
        token: Option<&str>,
        name: &str,
        kind: &str,
        fields: &str,
        input: Value,
    ) -> Value {
        let query = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} }} }}");
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let mut request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("x-gateway-key", GATEWAY_KEY);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(from) = from {
            request = request.header("x-forwarded-for", from);
        }
        let response = self
            .graphql
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        if answer["data"][name].is_object() {
            answer["data"][name].clone()
        } else {
            answer
        }
    }

    pub(crate) async fn register(&self, email: &str) -> Session {
        session(&self.try_register(email, PASSWORD, "Ada").await)
    }

    pub(crate) async fn try_register(&self, email: &str, password: &str, name: &str) -> Value {
        let input = json!({ "email": email, "password": password, "displayName": name });
        self.mutate(None, None, "register", "RegisterInput", SESSION, input)
            .await
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Value {
        self.mutate(
            None,
            None,
            "login",
            "LoginInput",
            SESSION,
            json!({ "email": email, "password": password }),
        )
        .await
    }

    pub(crate) async fn login_from(&self, address: &str, email: &str, password: &str) -> Value {
        let input = json!({ "email": email, "password": password });
        self.mutate(Some(address), None, "login", "LoginInput", SESSION, input)
            .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Value {
        let input = json!({ "refreshToken": token });
        self.mutate(
            None,
            None,
            "refreshSession",
            "RefreshSessionInput",
            SESSION,
            input,
        )
        .await
    }

    pub(crate) async fn logout(&self, token: &str, everywhere: bool) {
        let input = json!({ "refreshToken": token, "everywhere": everywhere });
        let answer = self
            .mutate(None, None, "logout", "LogoutInput", "userErrors { code }", input)
            .await;
        assert_eq!(answer, json!({ "userErrors": [] }));
    }

    pub(crate) async fn change_password(&self, token: Option<&str>, current: &str, new: &str) -> Value {
        let input = json!({ "currentPassword": current, "newPassword": new });
        self.mutate(
            None,
            token,
            "changePassword",
            "ChangePasswordInput",
            SESSION,
            input,
        )
        .await
    }

    pub(crate) async fn set_roles(&self, token: Option<&str>, user: &str, roles: &[&str]) -> Value {
        let fields = "user { id roles } userErrors { code field }";
        let input = json!({ "userId": user, "roles": roles });
        self.mutate(None, token, "setUserRoles", "SetUserRolesInput", fields, input)
            .await
    }

    /// The first administrator, signed in.
    pub(crate) async fn root(&self) -> Session {
        let admin = Admin {
            email: ROOT.to_owned(),
            password: Secret::new(PASSWORD),
        };
        self.app.bootstrap(&admin).await.unwrap();
        session(&self.login(ROOT, PASSWORD).await)
    }

    /// A registered user whom `root` gave roles, signed in again.
    pub(crate) async fn with_roles(&self, root: &Session, email: &str, roles: &[&str]) -> Session {
        let user = self.register(email).await;
        let answer = self.set_roles(Some(&root.access), &user.user, roles).await;
        assert_eq!(answer["user"]["roles"], json!(roles));
        session(&self.login(email, PASSWORD).await)
    }

    pub(crate) async fn me(&self, token: &str) -> Value {
        self.ask(Some(token), "{ me { id } }", json!({})).await["data"]["me"]["id"].clone()
    }
}

/// The session of a payload without errors.
pub(crate) fn session(payload: &Value) -> Session {
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let session = &payload["session"];
    Session {
        access: text(&session["accessToken"]),
        refresh: text(&session["refreshToken"]),
        user: text(&session["user"]["id"]),
    }
}

/// The code of a payload with one error and nothing else.
pub(crate) fn code(payload: &Value) -> &str {
    assert_eq!(payload["session"], Value::Null, "{payload}");
    assert_eq!(
        payload["userErrors"].as_array().map(Vec::len),
        Some(1),
        "{payload}"
    );
    payload["userErrors"][0]["code"].as_str().unwrap()
}

/// The code of a top-level error.
pub(crate) fn fault(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

pub(crate) fn user_id(text: &str) -> UserId {
    text.parse().unwrap()
}
