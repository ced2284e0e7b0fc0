//! Stores, services and the sandbox without a router, and something of every kind in them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, Plan, Settings, Stack};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) things: Things,
    services: Services,
    stack: Stack,
    /// Goes after the system that lives in it.
    _folder: tempfile::TempDir,
}

/// The subgraphs, as a router asks them.
struct Services {
    http: reqwest::Client,
    plan: Plan,
}

/// Somebody who is signed in.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// What is Ada's, and what is sold.
pub(crate) struct Things {
    pub(crate) ada: Person,
    pub(crate) bob: Person,
    pub(crate) admin: Person,
    pub(crate) category: String,
    pub(crate) product: String,
    pub(crate) variant: String,
    pub(crate) sku: String,
    pub(crate) cart: String,
    pub(crate) order: String,
    pub(crate) payment: String,
    pub(crate) review: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl World {
    pub(crate) fn start() -> Result<Self> {
        let folder = dev_stack::servers::scratch_folder()?;
        let test = std::env::current_exe()?;
        let binaries = test.parent().and_then(Path::parent).context("no programs")?;
        let settings = Settings::for_tests(folder.path().to_owned(), binaries.to_owned());
        let stack = Stack::start(&settings, &())?;
        let runtime = Runtime::new()?;
        let services = Services {
            http: service_kit::http::client(Duration::from_secs(20)),
            plan: stack.plan(),
        };
        let things = runtime.block_on(services.furnish())?;
        Ok(Self {
            runtime,
            things,
            services,
            stack,
            _folder: folder,
        })
    }

    /// The whole answer of a subgraph to somebody.
    pub(crate) async fn ask(
        &self,
        service: &str,
        who: &Person,
        query: &str,
        variables: Value,
    ) -> Result<Value> {
        self.services
            .ask(service, Some(&who.token), query, variables)
            .await
    }

    pub(crate) fn stop(&self) {
        self.stack.stop_all(&());
    }
}

impl Services {
    async fn ask(&self, service: &str, token: Option<&str>, query: &str, variables: Value) -> Result<Value> {
        let port = self.plan.ports_of(service)?.graphql;
        let mut request = self
            .http
            .post(format!("http://127.0.0.1:{port}/graphql"))
            .header("x-gateway-key", &self.plan.gateway_key)
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.json().await?)
    }

    async fn data(&self, service: &str, token: Option<&str>, query: &str, variables: Value) -> Result<Value> {
        let mut answer = self.ask(service, token, query, variables).await?;
        ensure!(answer.get("errors").is_none(), "{service}: {answer}");
        Ok(answer["data"].take())
    }

    /// The payload of a mutation without user errors.
    async fn change(&self, service: &str, who: Option<&Person>, query: &str, input: Value) -> Result<Value> {
        let token = who.map(|person| person.token.as_str());
        let mut data = self
            .data(service, token, query, json!({ "input": input }))
            .await?;
        let payload = data["payload"].take();
        ensure!(payload["userErrors"] == json!([]), "{service}: {payload}");
        Ok(payload)
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<Person> {
        let login = "mutation Login($input: LoginInput!) { payload: login(input: $input) {
            session { accessToken user { id } } userErrors { code } } }";
        let input = json!({ "email": email, "password": password });
        person(&self.change("auth", None, login, input).await?)
    }

    async fn newcomer(&self, name: &str) -> Result<Person> {
        let register = "mutation Register($input: RegisterInput!) { payload: register(input: $input) {
            session { accessToken user { id } } userErrors { code } } }";
        let email = format!("{name}-{}@example.com", Uuid::now_v7().simple());
        let input = json!({ "email": email, "password": "correct horse battery", "displayName": name });
        person(&self.change("auth", None, register, input).await?)
    }

    /// Stocks the shop and lets Ada buy; she has another cart.
    async fn furnish(&self) -> Result<Things> {
        let admin = self.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD).await?;
        let (ada, bob) = (self.newcomer("ada").await?, self.newcomer("bob").await?);
        let slug = format!("c{}", Uuid::now_v7().simple());
        let sku = slug.to_uppercase();
        let import =
            "mutation Import($input: ImportProductsInput!) { payload: importProducts(input: $input) {
            userErrors { code message } } }";
        let product = json!({ "slug": slug, "title": "Test article", "description": "Made for a test",
            "categoryPath": ["Tests"], "variants": [{ "sku": sku, "title": "One", "weightGrams": 400,
            "price": { "amount": "12.50", "currencyCode": "USD" } }] });
        let products = json!({ "products": [product] });
        self.change("product", Some(&admin), import, products).await?;
        let adjust = "mutation Adjust($input: AdjustStockInput!) { payload: adjustStock(input: $input) {
            userErrors { code } } }";
        let stock = json!({ "sku": sku, "delta": 50, "reason": "test", "idempotencyKey": Uuid::now_v7().to_string() });
        self.change("inventory", Some(&admin), adjust, stock).await?;
        let find =
            "query Find($slug: String!) { product(slug: $slug) { id category { id } variants { id } } }";
        let data = self.data("product", None, find, json!({ "slug": slug })).await?;
        let variant = text(&data["product"]["variants"][0]["id"])?;
        let first = self.fill(&ada, &variant).await?;
        let (order, payment) = self.buy(&ada, &first).await?;
        let product = text(&data["product"]["id"])?;
        Ok(Things {
            review: self.review(&ada, &product).await?,
            category: text(&data["product"]["category"]["id"])?,
            product,
            cart: self.fill(&ada, &variant).await?,
            variant,
            sku,
            order,
            payment,
            ada,
            bob,
            admin,
        })
    }

    async fn fill(&self, who: &Person, variant: &str) -> Result<String> {
        let create = "mutation Fill($input: CreateCartInput!) { payload: createCart(input: $input) {
            cart { id } userErrors { code } } }";
        let input = json!({ "currencyCode": "USD", "idempotencyKey": Uuid::now_v7().to_string(),
            "lines": [{ "variantId": variant, "quantity": 1 }] });
        let payload = self.change("cart", Some(who), create, input).await?;
        text(&payload["cart"]["id"])
    }

    /// Order and payment, once the money is taken.
    async fn buy(&self, who: &Person, cart: &str) -> Result<(String, String)> {
        let create = "mutation Buy($input: CreateOrderInput!) { payload: createOrder(input: $input) {
            order { id } userErrors { code } } }";
        let key = Uuid::now_v7().to_string();
        let input = json!({ "cartId": cart, "paymentMethod": "pm_card_visa", "idempotencyKey": key });
        let payload = self.change("order", Some(who), create, input).await?;
        let order = text(&payload["order"]["id"])?;
        let look = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payment { id status } } } }";
        let representations = json!({ "r": [{ "__typename": "Order", "id": order }] });
        let begun = Instant::now();
        loop {
            let data = self
                .data("payment", Some(&who.token), look, representations.clone())
                .await?;
            let payment = &data["_entities"][0]["payment"];
            if payment["status"] == "CAPTURED" {
                return Ok((order, text(&payment["id"])?));
            }
            ensure!(begun.elapsed() < Duration::from_mins(1), "not paid: {data}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Services {
    /// A review, once the news of the purchase is where reviews are.
    async fn review(&self, who: &Person, product: &str) -> Result<String> {
        let create = "mutation Say($input: CreateReviewInput!) { payload: createReview(input: $input) {
            review { id } userErrors { code } } }";
        let input = json!({ "productId": product, "rating": 4, "title": "Good", "body": "As it should be",
            "idempotencyKey": Uuid::now_v7().to_string() });
        let begun = Instant::now();
        loop {
            let data = self
                .data("review", Some(&who.token), create, json!({ "input": input }))
                .await?;
            if let Some(review) = data["payload"]["review"]["id"].as_str() {
                return Ok(review.to_owned());
            }
            ensure!(begun.elapsed() < Duration::from_mins(1), "no review: {data}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn person(payload: &Value) -> Result<Person> {
    let session = &payload["session"];
    Ok(Person {
        id: text(&session["user"]["id"])?,
        token: text(&session["accessToken"])?,
    })
}

fn text(value: &Value) -> Result<String> {
    let found = value.as_str().map(str::to_owned);
    found.with_context(|| format!("no text: {value}"))
}
