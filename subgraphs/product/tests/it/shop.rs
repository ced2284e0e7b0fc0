//! A shop with stores of its own, and the people who call it.

use std::time::Duration;

use axum::Router;
use contracts::UserId;
use graphql_kit::HttpConfig;
use product::App;
use product::store::cache::Cache;
use serde_json::{Value, json};
use service_auth::Role;
use service_kit::Clock;
use test_kit::{GATEWAY_KEY, Identity, TestDb, TestRedis};

/// Longer than any test takes: a busy machine may need more than the usual half minute from one question to the next,
/// and a copy that has ended meanwhile is a statement more.
const LONG_LIFE: Duration = Duration::from_hours(1);

/// What a shopper would not wait for a copy: on a busy machine a test must not go on without its cache.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) identity: Identity,
    pub(crate) graphql: Router,
    pub(crate) internal: Router,
    pub(crate) admin: String,
    pub(crate) support: String,
    pub(crate) redis: TestRedis,
    colds: u32,
    _db: TestDb,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let redis = test_kit::redis().await;
        let url = redis.url.clone();
        Self::open_with_cache_at(redis, &url).await
    }

    /// A shop whose cache stands elsewhere, perhaps where nothing is.
    pub(crate) async fn open_with_cache_at(redis: TestRedis, url: &str) -> Self {
        let db = test_kit::postgres(&product::MIGRATOR).await;
        let app = App {
            pool: db.pool.clone(),
            cache: cache(url, &redis.prefix),
            clock: Clock::system(),
        };
        let identity = Identity::new();
        Self {
            graphql: graphql_over(&app, &identity),
            internal: product::rest::router(app.clone(), &identity.service_verifier("product")),
            admin: identity.user_token(UserId::generate(), &[Role::Admin]),
            support: identity.user_token(UserId::generate(), &[Role::Support]),
            app,
            identity,
            redis,
            colds: 0,
            _db: db,
        }
    }

    /// The same shop as a process sees it whose cache holds nothing yet.
    pub(crate) fn forget_all_copies(&mut self) {
        self.colds += 1;
        let prefix = format!("{}:cold-{}", self.redis.prefix, self.colds);
        self.app.cache = cache(&self.redis.url, &prefix);
        self.graphql = graphql_over(&self.app, &self.identity);
    }

    /// Asks as `token`; the whole response.
    pub(crate) async fn ask_as(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.graphql, token, query, variables).await
    }

    /// Asks as an anonymous shopper, who must get an answer without errors.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        data(self.ask_as(None, query, variables).await)
    }

    /// Imports as an administrator; the payload.
    pub(crate) async fn import(&self, products: Vec<Value>) -> Value {
        let answer = self
            .ask_as(
                Some(&self.admin),
                IMPORT,
                json!({"input": {"products": products}}),
            )
            .await;
        data(answer)["importProducts"].take()
    }

    /// Imports products that must all be good.
    pub(crate) async fn stock_up(&self, products: Vec<Value>) -> Value {
        let payload = self.import(products).await;
        assert_eq!(payload["userErrors"], json!([]));
        payload
    }
}

fn cache(url: &str, prefix: &str) -> Cache {
    let cache = Cache::try_new(url, prefix, PATIENCE).unwrap();
    cache.keeping_for(LONG_LIFE)
}

fn graphql_over(app: &App, identity: &Identity) -> Router {
    let config = HttpConfig::new(GATEWAY_KEY.parse().unwrap(), identity.verifier(), false);
    graphql_kit::router(product::graphql::schema(app), config)
}

pub(crate) const IMPORT: &str = "mutation($input: ImportProductsInput!) { importProducts(input: $input) {
    created updated unchanged products { id slug version variants { id sku version } }
    userErrors { code message field } } }";

/// The data of an answer without errors.
pub(crate) fn data(mut answer: Value) -> Value {
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    answer["data"].take()
}

/// The code of an answer's only error.
pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

/// An import item with one variant.
pub(crate) fn item(slug: &str, title: &str, price: &str) -> Value {
    json!({
        "slug": slug, "title": title, "description": "", "categoryPath": ["Things"], "brand": "Acme",
        "variants": [{"sku": slug.to_uppercase(), "title": "One", "price": usd(price), "weightGrams": 100}],
    })
}

pub(crate) fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currencyCode": "USD"})
}

/// The strings at `pointer` of each node of a list.
pub(crate) fn texts(nodes: &Value, pointer: &str) -> Vec<String> {
    let nodes = nodes.as_array().unwrap_or_else(|| panic!("{nodes}"));
    nodes
        .iter()
        .map(|node| {
            node.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        })
        .collect()
}
