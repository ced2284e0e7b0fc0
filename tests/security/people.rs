//! Who lives in this world, and what is theirs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dev_stack::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, Plan};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::Answer;

/// Every customer's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
    pub(crate) refresh: String,
}

/// Ada has something; Bob wants it; the others work here.
pub(crate) struct People {
    pub(crate) ada: Person,
    pub(crate) bob: Person,
    pub(crate) support: Person,
    pub(crate) admin: Person,
    /// What is sold.
    pub(crate) variant: String,
    pub(crate) sku: String,
    pub(crate) product: String,
    /// Ada's order, paid.
    pub(crate) order: String,
    pub(crate) payment: String,
    /// Ada's cart, not ordered yet.
    pub(crate) cart: String,
    pub(crate) cart_line: String,
    /// Ada's, of the product she bought.
    pub(crate) review: String,
}

/// The graph from outside, before there is a world.
pub(crate) struct Outside<'a> {
    http: &'a reqwest::Client,
    url: String,
    staff_url: String,
}

pub(crate) const LOGIN: &str = "mutation ($input: LoginInput!) { login(input: $input) {
    session { accessToken refreshToken user { id email } } userErrors { code message } } }";
pub(crate) const REGISTER: &str = "mutation ($input: RegisterInput!) { register(input: $input) {
    session { accessToken refreshToken user { id email } } userErrors { code message } } }";

/// A key no one has used.
pub(crate) fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}

impl<'a> Outside<'a> {
    pub(crate) fn new(http: &'a reqwest::Client, plan: &Plan) -> Self {
        Self {
            http,
            url: plan.graphql_url(),
            staff_url: plan.staff_url(),
        }
    }

    /// The whole graph.
    pub(crate) fn staff(&self) -> Self {
        Self {
            http: self.http,
            url: self.staff_url.clone(),
            staff_url: self.staff_url.clone(),
        }
    }

    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Result<Answer> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(&self.url).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Answer::read(request.send().await?).await
    }

    pub(crate) async fn data(&self, token: Option<&str>, query: &str, variables: Value) -> Result<Value> {
        self.ask(token, query, variables).await?.data()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Person> {
        let input = json!({ "input": { "email": email, "password": password } });
        person(&self.data(None, LOGIN, input).await?["login"])
    }

    pub(crate) async fn newcomer(&self, name: &str) -> Result<Person> {
        let email = format!("{name}-{}@example.com", Uuid::now_v7().simple());
        let input = json!({ "input": { "email": email, "password": PASSWORD, "displayName": name } });
        person(&self.data(None, REGISTER, input).await?["register"])
    }
}

pub(crate) fn person(payload: &Value) -> Result<Person> {
    let session = &payload["session"];
    let text = |value: &Value| value.as_str().map(str::to_owned).context(payload.to_string());
    Ok(Person {
        id: text(&session["user"]["id"])?,
        email: text(&session["user"]["email"])?,
        token: text(&session["accessToken"])?,
        refresh: text(&session["refreshToken"])?,
    })
}

impl People {
    /// Registers everybody, stocks the shop, and lets Ada buy.
    pub(crate) async fn settle(http: &reqwest::Client, plan: &Plan) -> Result<Self> {
        let outside = Outside::new(http, plan);
        let admin = outside.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD).await?;
        let (ada, bob) = (outside.newcomer("ada").await?, outside.newcomer("bob").await?);
        let support = outside.newcomer("sue").await?;
        let roles = json!({ "input": { "userId": support.id, "roles": ["CUSTOMER", "SUPPORT"] } });
        outside
            .staff()
            .data(
                Some(&admin.token),
                "mutation ($input: SetUserRolesInput!) { setUserRoles(input: $input) { userErrors { code } } }",
                roles,
            )
            .await?;
        // The token of before knows nothing of the new role.
        let support = outside.sign_in(&support.email, PASSWORD).await?;
        let goods = Goods::stock(&outside, &admin).await?;
        let (order, payment) = goods.buy(&outside, &ada).await?;
        let (cart, cart_line) = goods.cart(&outside, &ada).await?;
        let review = goods.review(&outside, &ada).await?;
        Ok(Self {
            ada,
            bob,
            support,
            admin,
            variant: goods.variant,
            sku: goods.sku,
            product: goods.product,
            order,
            payment,
            cart,
            cart_line,
            review,
        })
    }
}

struct Goods {
    product: String,
    variant: String,
    sku: String,
}

impl Goods {
    async fn stock(outside: &Outside<'_>, admin: &Person) -> Result<Self> {
        let name = format!("s{}", Uuid::now_v7().simple());
        let sku = name.to_uppercase();
        let token = Some(admin.token.as_str());
        let import = "mutation ($input: ImportProductsInput!) { importProducts(input: $input) { userErrors { code } } }";
        let products = json!({ "input": { "products": [{
            "slug": name, "title": "Test article", "description": "Made for a test", "categoryPath": ["Tests"],
            "variants": [{ "sku": sku, "title": "One", "price": { "amount": "12.50", "currencyCode": "USD" } }],
        }] } });
        outside.staff().data(token, import, products).await?;
        let adjust =
            "mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
        let stock =
            json!({ "input": { "sku": sku, "delta": 50, "reason": "test", "idempotencyKey": fresh_key() } });
        outside.staff().data(token, adjust, stock).await?;
        let find = "query ($slug: String!) { product(slug: $slug) { id variants { id } } }";
        let data = outside.data(None, find, json!({ "slug": name })).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context(data.to_string());
        Ok(Self {
            product: text(&data["product"]["id"])?,
            variant: text(&data["product"]["variants"][0]["id"])?,
            sku,
        })
    }

    async fn cart(&self, outside: &Outside<'_>, person: &Person) -> Result<(String, String)> {
        let create = "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id lines { id } } userErrors { code } } }";
        let lines = json!([{ "variantId": self.variant, "quantity": 1 }]);
        let input =
            json!({ "input": { "currencyCode": "USD", "idempotencyKey": fresh_key(), "lines": lines } });
        let token = Some(person.token.as_str());
        let data = outside.data(token, create, input).await?;
        let cart = &data["createCart"]["cart"];
        let text = |value: &Value| value.as_str().map(str::to_owned).context(data.to_string());
        Ok((text(&cart["id"])?, text(&cart["lines"][0]["id"])?))
    }

    /// A review, once the news of the purchase has come to where reviews are.
    async fn review(&self, outside: &Outside<'_>, buyer: &Person) -> Result<String> {
        let create = "mutation ($input: CreateReviewInput!) { createReview(input: $input) { review { id } userErrors { code } } }";
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let input = json!({ "input": {
                "productId": self.product, "rating": 4, "title": "Good", "body": "As it should be", "idempotencyKey": fresh_key(),
            } });
            let data = outside.data(Some(&buyer.token), create, input).await?;
            if let Some(review) = data["createReview"]["review"]["id"].as_str() {
                return Ok(review.to_owned());
            }
            ensure!(Instant::now() < deadline, "no review: {data}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Order and payment, once the order is paid.
    async fn buy(&self, outside: &Outside<'_>, person: &Person) -> Result<(String, String)> {
        let (cart, _) = self.cart(outside, person).await?;
        let create = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } userErrors { code } } }";
        let input = json!({ "input": { "cartId": cart, "paymentMethod": "pm_card_visa", "idempotencyKey": fresh_key() } });
        let token = Some(person.token.as_str());
        let data = outside.data(token, create, input).await?;
        let order = data["createOrder"]["order"]["id"]
            .as_str()
            .context(data.to_string())?;
        let look = "query ($id: ID!) { order(id: $id) { status payment { id status } } }";
        let begun = Instant::now();
        loop {
            let data = outside.data(token, look, json!({ "id": order })).await?;
            if data["order"]["status"] == "PAID"
                && let Some(payment) = data["order"]["payment"]["id"].as_str()
            {
                return Ok((order.to_owned(), payment.to_owned()));
            }
            ensure!(begun.elapsed() < Duration::from_secs(30), "not paid: {data}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
