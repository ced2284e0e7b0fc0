//! `POST /graphql`: statuses, media types, keys, tokens, limits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use contracts::UserId;
use graphql_kit::HttpConfig;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use service_auth::Role;
use test_kit::Identity;
use tower::ServiceExt;

use crate::toy::{self, KEY, Probe};

pub(crate) const JSON: &str = "application/json";
pub(crate) const GRAPHQL: &str = "application/graphql-response+json";

pub(crate) struct Edge {
    pub(crate) router: Router,
    pub(crate) identity: Identity,
    probe: Arc<Probe>,
}

pub(crate) async fn edge(production: bool) -> Edge {
    edge_with(production, |config| config)
}

pub(crate) fn edge_with(production: bool, also: impl FnOnce(HttpConfig) -> HttpConfig) -> Edge {
    let identity = Identity::new();
    let probe = Arc::new(Probe::default());
    let keys = format!("{KEY},another-gateway-key").parse().unwrap();
    let config = also(HttpConfig::new(keys, identity.verifier(), production));
    let router = graphql_kit::router(toy::schema(&probe), config).layer(service_kit::correlation::layer());
    Edge {
        router,
        identity,
        probe,
    }
}

/// A request as the gateway sends it, to be changed by a test.
pub(crate) fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/graphql")
        .header("x-gateway-key", KEY)
        .header(header::CONTENT_TYPE, JSON)
        .header(header::ACCEPT, GRAPHQL)
        .body(body.into())
        .unwrap()
}

pub(crate) fn query(text: &str) -> Request<Body> {
    post(json!({ "query": text }).to_string())
}

pub(crate) fn with(mut request: Request<Body>, name: header::HeaderName, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

impl Edge {
    pub(crate) async fn ask(&self, request: Request<Body>) -> (StatusCode, String, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let media = response.headers().get(header::CONTENT_TYPE);
        let media = media.map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (
            status,
            media,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    pub(crate) async fn status(&self, request: Request<Body>) -> u16 {
        self.ask(request).await.0.as_u16()
    }

    /// The code of the first error.
    async fn code(&self, request: Request<Body>) -> String {
        let (_, _, body) = self.ask(request).await;
        body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

#[tokio::test]
async fn the_status_table() {
    let edge = edge(true).await;
    let good = "{ toys { nodes { id } } }";
    for (want, name, request) in [
        (200, "a good query", query(good)),
        (200, "a field error", query("{ broken }")),
        (400, "a syntax error", query("{ toys")),
        (400, "an unknown field", query("{ tois }")),
        (400, "no query", post("{}")),
        (400, "query is no string", post(r#"{"query": 1}"#)),
        (
            400,
            "variables are no object",
            post(r#"{"query": "{ __typename }", "variables": []}"#),
        ),
        (400, "broken JSON", post("{")),
        (
            400,
            "a number out of range",
            post(r#"{"query": "{ __typename }", "variables": {"a": 1e400}}"#),
        ),
        (
            400,
            "a lone surrogate",
            post(r#"{"query": "{ __typename }", "variables": {"a": "\ud800"}}"#),
        ),
        (400, "a batch", post(r#"[{"query": "{ __typename }"}]"#)),
        (
            400,
            "two operations, none chosen",
            query("query A { __typename } query B { __typename }"),
        ),
        (400, "a subscription", query("subscription { count(to: 1) }")),
        (
            403,
            "introspection in production",
            query("{ __schema { queryType { name } } }"),
        ),
        (
            405,
            "GET",
            Request::get("/graphql?query={__typename}")
                .header("x-gateway-key", KEY)
                .body(Body::empty())
                .unwrap(),
        ),
        (406, "HTML only", with(query(good), header::ACCEPT, "text/html")),
        (413, "a large body", post(vec![b' '; 300 * 1024])),
        (
            415,
            "a form",
            with(
                query(good),
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            ),
        ),
        (
            415,
            "an upload",
            with(
                query(good),
                header::CONTENT_TYPE,
                "multipart/form-data; boundary=x",
            ),
        ),
        (
            415,
            "plain text",
            with(query(good), header::CONTENT_TYPE, "text/plain"),
        ),
        (415, "gzip", with(query(good), header::CONTENT_ENCODING, "gzip")),
    ] {
        assert_eq!(edge.status(request).await, want, "{name}");
    }
}

#[tokio::test]
async fn under_plain_json_a_refused_document_is_200_and_a_bad_body_is_not() {
    let edge = edge(true).await;
    let json = |request| with(request, header::ACCEPT, JSON);
    let (status, media, body) = edge.ask(json(query("{ tois }"))).await;
    assert_eq!(
        (status.as_u16(), media.as_str()),
        (200, "application/json; charset=utf-8")
    );
    assert!(body.get("data").is_none(), "nothing was executed: {body}");
    assert_eq!(edge.status(json(post("{"))).await, 400);

    let (_, media, body) = edge.ask(query("{ toys { nodes { id } } }")).await;
    assert_eq!(media, "application/graphql-response+json; charset=utf-8");
    assert!(body.get("errors").is_none());
}

#[tokio::test]
async fn only_bearers_of_a_gateway_key_are_answered() {
    let edge = edge(true).await;
    let key = header::HeaderName::from_static("x-gateway-key");
    let sdl = || query("{ _service { sdl } }");
    assert_eq!(
        edge.status(with(sdl(), key.clone(), "another-gateway-key")).await,
        200
    );
    for bad in ["", "wrong", "toy-gateway-key-000", "toy-gateway-key-00011"] {
        assert_eq!(edge.status(with(sdl(), key.clone(), bad)).await, 401, "{bad:?}");
    }
    let mut none = sdl();
    none.headers_mut().remove(&key);
    assert_eq!(edge.status(none).await, 401);
    let mut two = sdl();
    two.headers_mut().append(&key, KEY.parse().unwrap());
    assert_eq!(edge.status(two).await, 401);
}

#[tokio::test]
async fn a_token_names_the_viewer_and_a_bad_one_is_refused() {
    let edge = edge(true).await;
    let user = UserId::generate();
    let token = edge.identity.user_token(user, &[Role::Customer]);
    let bearer = |value: &str| with(query("{ me }"), header::AUTHORIZATION, value);

    let (_, _, body) = edge.ask(bearer(&format!("Bearer {token}"))).await;
    assert_eq!(body["data"]["me"], user.to_string());
    assert_eq!(edge.code(query("{ me }")).await, "UNAUTHENTICATED");

    let flipped = format!("Bearer {}x", &token[..token.len() - 1]);
    for bad in [
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer abc",
        token.as_str(),
        flipped.as_str(),
    ] {
        let (status, _, body) = edge.ask(bearer(bad)).await;
        assert_eq!(status.as_u16(), 401, "{bad}");
        assert_eq!(
            body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
            "{bad}"
        );
        assert_eq!(body["errors"][0]["extensions"]["http"]["status"], 401);
    }
    let mut two = bearer(&format!("Bearer {token}"));
    two.headers_mut()
        .append(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    assert_eq!(edge.status(two).await, 401);
}

#[tokio::test]
async fn errors_tell_the_caller_nothing_of_the_inside() {
    let edge = edge(true).await;
    for field in ["broken", "careless"] {
        let mut request = query(&format!("{{ {field} }}"));
        request
            .headers_mut()
            .insert(service_kit::correlation::HEADER, "abc-1".parse().unwrap());
        let (_, _, body) = edge.ask(request).await;
        let error = &body["errors"][0];
        assert_eq!(error["message"], "Internal error", "{field}");
        assert_eq!(error["extensions"]["code"], "INTERNAL");
        assert_eq!(error["extensions"]["correlationId"], "abc-1");
        assert!(!body.to_string().contains("canary"));
    }
    let (_, _, body) = edge.ask(query("{ toyz { id } }")).await;
    assert!(
        !body.to_string().contains("Did you mean"),
        "no suggestions: {body}"
    );
}

#[tokio::test]
async fn nulls_stand_where_the_specification_wants_them() {
    let edge = edge(true).await;
    for (text, want) in [
        ("{ partly { id may } }", json!({"partly": {"id": 1, "may": null}})),
        ("{ partly { id must } }", json!({"partly": null})),
        (
            "{ partly { id } broken }",
            json!({"partly": {"id": 1}, "broken": null}),
        ),
        ("{ partly { id } me }", json!(null)),
    ] {
        let (status, _, body) = edge.ask(query(text)).await;
        assert_eq!((status.as_u16(), &body["data"]), (200, &want), "{text}");
        assert_eq!(body["errors"].as_array().unwrap().len(), 1, "{text}");
    }
}

#[tokio::test]
async fn bad_arguments_are_the_callers_fault() {
    let edge = edge(true).await;
    for text in [
        "{ toys(first: 0) { nodes { id } } }",
        "{ toys(first: 101) { nodes { id } } }",
        "{ toys(after: \"tampered\") { nodes { id } } }",
        "{ toys(first: 2147483648) { nodes { id } } }",
        "{ userId(id: \"ord_01h455vb4pex5vsknk084sn02q\") }",
        "{ userId(id: \"\\u0000\") }",
        "mutation { buy(price: {amount: \"1e5\", currencyCode: \"USD\"}) { toy { id } } }",
        "mutation { buy(price: {amount: \"1.001\", currencyCode: \"USD\"}) { toy { id } } }",
        "mutation { buy(price: {amount: \"1\", currencyCode: \"dollars\"}) { toy { id } } }",
    ] {
        assert_eq!(edge.code(query(text)).await, "BAD_USER_INPUT", "{text}");
    }
}

#[tokio::test]
async fn documents_beyond_the_limits_do_not_run() {
    let edge = edge(true).await;
    let aliases: Vec<String> = (0..101).map(|n| format!("a{n}: me")).collect();
    let aliases = aliases.join(" ");
    let directives = "@include(if: true) ".repeat(5);
    for (name, text) in [
        ("aliases", format!("{{ {aliases} }}")),
        ("directives on a field", format!("{{ me {directives} }}")),
        (
            "mutations",
            format!("mutation {{ {} }}", "x: __typename ".repeat(11)),
        ),
        ("depth", format!("{}{}", "{ a ".repeat(40), "}".repeat(40))),
        ("brackets", "[".repeat(100_000)),
        (
            "fragment cycle",
            "{ ...a } fragment a on Query { ...a }".to_owned(),
        ),
    ] {
        assert_eq!(edge.status(query(&text)).await, 400, "{name}");
    }
    let one = json!({"__typename": "Toy", "id": "1"});
    let text = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Toy { id } } }";
    let entities = |n| post(json!({"query": text, "variables": {"r": vec![one.clone(); n]}}).to_string());
    assert_eq!(edge.status(entities(200)).await, 200);
    assert_eq!(edge.status(entities(201)).await, 400);
}

#[tokio::test]
async fn a_missing_entity_is_null_beside_the_others() {
    let edge = edge(true).await;
    let text = r#"{ _entities(representations: [{__typename: "Toy", id: "1"}, {__typename: "Toy", id: "gone"}]) { ... on Toy { id } } }"#;
    let (_, _, body) = edge.ask(query(text)).await;
    assert_eq!(body["data"]["_entities"], json!([{"id": "1"}, null]));
    let text = r#"{ _entities(representations: [{__typename: "Nonsense", id: "1"}]) { __typename } }"#;
    assert_eq!(edge.code(query(text)).await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_entity_that_fails_is_null_alone_with_one_error_at_its_place() {
    let edge = edge(true).await;
    let ask = async |representations: Value, selection: &str| {
        let text =
            format!("query ($r: [_Any!]!) {{ all: _entities(representations: $r) {{ {selection} }} }}");
        let body = json!({"query": text, "variables": {"r": representations}}).to_string();
        let (_, _, body) = edge.ask(post(body)).await;
        let errors: Vec<Value> = body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| json!([error["path"], error["extensions"]["code"]]))
            .collect();
        (body["data"]["all"].clone(), Value::from(errors))
    };
    let toy = |id: &str| json!({"__typename": "Toy", "id": id});
    let broken = |id: u8| json!({"__typename": "Broken", "id": id});
    let mixed = json!([toy("1"), broken(2), {"__typename": "Nonsense"}, broken(1), toy("gone"), toy("1"),
        {"id": "1"}, {"__typename": "Toy"}, broken(2)]);
    let (data, errors) = ask(mixed, "... on Toy { id } ... on Broken { number: id }").await;
    assert_eq!(
        data,
        json!([{"id": "1"}, null, null, {"number": 1}, null, {"id": "1"}, null, null, null])
    );
    let at = |place: u8, code: &str| json!([["all", place], code]);
    let places = [
        at(1, "UNAVAILABLE"),
        at(2, "BAD_USER_INPUT"),
        at(6, "BAD_USER_INPUT"),
        at(7, "BAD_USER_INPUT"),
        at(8, "UNAVAILABLE"),
    ];
    let mut found = errors.as_array().unwrap().clone();
    found.sort_by_key(|error| error[0][1].as_u64());
    assert_eq!(found, places);

    // A nullable field that fails is null alone, a non-null one takes its entity along, each at its place.
    let (data, errors) = ask(
        json!([broken(1), toy("1")]),
        "... on Broken { id may } ... on Toy { price { amount } }",
    )
    .await;
    assert_eq!(
        data,
        json!([{"id": 1, "may": null}, {"price": {"amount": "19.99"}}])
    );
    assert_eq!(errors, json!([[["all", 0, "may"], "UNAVAILABLE"]]));
    let (data, errors) = ask(
        json!([toy("1"), broken(1)]),
        "... on Broken { number: id must } ... on Toy { id }",
    )
    .await;
    assert_eq!(data, json!([{"id": "1"}, null]));
    assert_eq!(errors, json!([[["all", 1, "must"], "UNAVAILABLE"]]));
}

#[tokio::test]
async fn introspection_is_off_in_production_only() {
    let text = "{ __schema { queryType { name } } __type(name: \"Toy\") { name } }";
    assert_eq!(edge(true).await.code(query(text)).await, "FORBIDDEN");
    let (_, _, body) = edge(false).await.ask(query(text)).await;
    assert_eq!(body["data"]["__schema"]["queryType"]["name"], "Query");
    let (_, _, body) = edge(true).await.ask(query("{ _service { sdl } }")).await;
    assert!(
        body["data"]["_service"]["sdl"]
            .as_str()
            .unwrap()
            .contains("type Toy")
    );
}

#[tokio::test]
async fn pages_follow_one_another() {
    let edge = edge(true).await;
    let page = |after: Value| {
        let text = "query ($a: String) { toys(first: 3, after: $a) { nodes { id } pageInfo { hasNextPage endCursor } } }";
        post(json!({"query": text, "variables": {"a": after}}).to_string())
    };
    let (_, _, first) = edge.ask(page(Value::Null)).await;
    assert_eq!(
        first["data"]["toys"]["nodes"],
        json!([{"id": "0"}, {"id": "1"}, {"id": "2"}])
    );
    let cursor = first["data"]["toys"]["pageInfo"]["endCursor"].clone();
    let (_, _, rest) = edge.ask(page(cursor)).await;
    assert_eq!(rest["data"]["toys"]["nodes"], json!([{"id": "3"}, {"id": "4"}]));
    assert_eq!(rest["data"]["toys"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn a_mutation_ends_though_its_client_has_gone() {
    let edge = edge(true).await;
    let text = "mutation { buy(price: {amount: \"1\", currencyCode: \"USD\"}) { userErrors { code message field __typename } } }";
    {
        let request = tokio::time::timeout(
            Duration::from_millis(50),
            edge.router.clone().oneshot(query(text)),
        );
        assert!(request.await.is_err(), "it waits for leave to end");
    }
    edge.probe.mutation_may_end.notify_one();
    for _ in 0..1000 {
        if edge.probe.mutations_done.load(Ordering::SeqCst) == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(edge.probe.mutations_done.load(Ordering::SeqCst), 1);

    edge.probe.mutation_may_end.notify_one();
    let (_, _, body) = edge.ask(query(text)).await;
    let want = json!([{"code": "SOLD_OUT", "message": "None is left", "field": ["price"], "__typename": "ToyUserError"}]);
    assert_eq!(body["data"]["buy"]["userErrors"], want);
}

#[tokio::test]
async fn a_variable_that_was_not_given_leaves_the_default_of_its_argument() {
    let edge = edge(true).await;
    let ask = |variables: Value| {
        let query = "query ($first: Int) { toys(first: $first) { nodes { id } } }";
        post(json!({ "query": query, "variables": variables }).to_string())
    };
    let count = |body: &Value| body["data"]["toys"]["nodes"].as_array().map(Vec::len);
    let (_, _, default) = edge.ask(query("{ toys { nodes { id } } }")).await;
    let (_, _, omitted) = edge.ask(ask(json!({}))).await;
    assert!(count(&default).is_some_and(|all| all > 1), "{default}");
    assert_eq!(omitted, default);
    let (_, _, one) = edge.ask(ask(json!({ "first": 1 }))).await;
    assert_eq!(count(&one), Some(1), "{one}");
    let (_, _, null) = edge.ask(ask(json!({ "first": null }))).await;
    assert!(
        null["errors"][0]["message"].is_string(),
        "null is a value: {null}"
    );
}
