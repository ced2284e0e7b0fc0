//! One cart service over its own part of Redis, a product of the test's own, and shoppers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use cart::{App, Lifetimes, ProductClient, Settings, Store};
use contracts::product::{VariantFact, VariantFacts, VariantLookup};
use contracts::{Currency, Money, ProductId, UserId, VariantId};
use graphql_kit::HttpConfig;
use serde_json::{Value, json};
use service_auth::{ClientLimits, Role, ServiceClient};
use service_kit::{Clock, Secret};
use test_kit::{GATEWAY_KEY, Identity, TestRedis, TestServer};

/// A product that knows what the test says, and counts how often it was asked.
#[derive(Clone, Default)]
pub(crate) struct Catalogue(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    facts: HashMap<VariantId, VariantFact>,
    down: bool,
    calls: usize,
}

impl Catalogue {
    pub(crate) fn set(&self, variant_id: VariantId, price: Money, for_sale: bool) {
        let (sku, product_id) = (variant_id.to_string(), ProductId::generate());
        let title = "A thing".to_owned();
        let fact = VariantFact {
            variant_id,
            sku,
            product_id,
            category_id: None,
            title,
            price,
            for_sale,
        };
        self.0.lock().unwrap().facts.insert(variant_id, fact);
    }

    pub(crate) fn variant(&self, cents: i64) -> VariantId {
        let id = VariantId::generate();
        self.set(id, Money::new(cents, Currency::USD), true);
        id
    }

    pub(crate) fn go_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }
}

async fn lookup(
    State(catalogue): State<Catalogue>,
    Json(asked): Json<VariantLookup>,
) -> Result<Json<VariantFacts>, StatusCode> {
    let mut shelf = catalogue.0.lock().unwrap();
    shelf.calls += 1;
    if shelf.down {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let known = |id: &VariantId| shelf.facts.get(id).cloned();
    Ok(Json(VariantFacts {
        variants: asked.variant_ids.iter().filter_map(known).collect(),
    }))
}

pub(crate) struct Stage {
    pub(crate) redis: TestRedis,
    pub(crate) identity: Identity,
    pub(crate) catalogue: Catalogue,
    pub(crate) clock: Clock,
    pub(crate) graphql: Router,
    pub(crate) rest: Router,
    _product: TestServer,
}

const CART: &str = "id couponCode version totalQuantity expiresAt subtotal { amount currencyCode }
    lines { id quantity priceChanged isAvailable unitPrice { amount } lineTotal { amount } variant { id } }";

impl Stage {
    pub(crate) async fn new() -> Self {
        let redis = test_kit::redis().await;
        let url = redis.url.clone();
        Self::over(redis, &url).await
    }

    /// A cart service that looks for its Redis at `url`.
    pub(crate) async fn over(redis: TestRedis, url: &str) -> Self {
        let (identity, catalogue, clock) = (Identity::new(), Catalogue::default(), Clock::system());
        let routes = Router::new()
            .route("/variants/lookup", post(lookup))
            .with_state(catalogue.clone());
        let product = TestServer::serve(routes).await;
        let client = ServiceClient::new(
            "product",
            product.base.clone(),
            identity.service_key("cart"),
            ClientLimits::default(),
        );
        let settings = Settings {
            url: Secret::new(url),
            prefix: redis.prefix.clone(),
        };
        let store = Store::connect(&settings).unwrap();
        let app = App::new(
            store,
            ProductClient::new(client),
            clock.clone(),
            Lifetimes::default(),
        );
        let http = HttpConfig::new(GATEWAY_KEY.parse().unwrap(), identity.verifier(), false);
        Self {
            graphql: app.graphql(http),
            rest: app.rest(&identity.service_verifier("cart")),
            redis,
            identity,
            catalogue,
            clock,
            _product: product,
        }
    }

    pub(crate) fn shopper(&self) -> (UserId, String) {
        let user = UserId::generate();
        (user, self.identity.user_token(user, &[Role::Customer]))
    }

    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.graphql, token, query, variables).await
    }

    /// Runs one mutation of a cart and answers its payload, or the whole response when it failed.
    pub(crate) async fn change(&self, token: Option<&str>, field: &str, input: Value) -> Value {
        let (first, rest) = field.split_at(1);
        let kind = format!("{}{rest}Input", first.to_uppercase());
        let mutation = format!(
            "mutation($input: {kind}!) {{ {field}(input: $input) {{ cart {{ {CART} }} userErrors {{ code field message }} }} }}"
        );
        let answer = self.ask(token, &mutation, json!({"input": input})).await;
        if answer["errors"].is_null() {
            answer["data"][field].clone()
        } else {
            answer
        }
    }

    pub(crate) async fn create(&self, token: Option<&str>, lines: &[(VariantId, i32)]) -> Value {
        let key = format!("create-{}", VariantId::generate());
        let input = json!({"currencyCode": "USD", "lines": wanted(lines), "idempotencyKey": key});
        let payload = self.change(token, "createCart", input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        payload["cart"].clone()
    }

    pub(crate) async fn add(
        &self,
        token: Option<&str>,
        cart: &Value,
        lines: &[(VariantId, i32)],
        key: &str,
    ) -> Value {
        let input = json!({"cartId": cart["id"], "lines": wanted(lines), "idempotencyKey": key});
        self.change(token, "addCartLines", input).await
    }

    pub(crate) async fn read(&self, token: Option<&str>, id: &Value) -> Value {
        let answer = self
            .ask(
                token,
                &format!("query($id: ID!) {{ cart(id: $id) {{ {CART} }} }}"),
                json!({"id": id}),
            )
            .await;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"]["cart"].clone()
    }

    pub(crate) async fn active(&self, token: Option<&str>, user: UserId) -> Value {
        let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { activeCart { id version totalQuantity } } } }";
        let representations = json!([{"__typename": "User", "id": user.to_string()}]);
        self.ask(token, query, json!({"r": representations})).await
    }
}

pub(crate) fn wanted(lines: &[(VariantId, i32)]) -> Value {
    lines
        .iter()
        .map(|(id, quantity)| json!({"variantId": id.to_string(), "quantity": quantity}))
        .collect()
}

/// The codes of a payload's user errors.
pub(crate) fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array();
    errors
        .unwrap_or_else(|| panic!("{payload}"))
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

/// The code of a failed response.
pub(crate) fn fault(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}
