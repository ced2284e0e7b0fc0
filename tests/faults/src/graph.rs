//! The public graph, as one person sees it over HTTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

/// Longer than the router waits for a service.
const PATIENCE: Duration = Duration::from_secs(12);

/// A client; clones share connections.
#[derive(Clone)]
pub(crate) struct Graph {
    http: reqwest::Client,
    url: Arc<str>,
    token: Option<Arc<str>>,
}

/// An answer without a result.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The stable code; empty when there was no answer at all.
    pub(crate) code: String,
    pub(crate) text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    fn new(code: &str, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
        }
    }
}

/// A key no one has used.
pub(crate) fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}

/// What `createOrder` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ordered {
    /// The order's id.
    Order(String),
    /// A business reason.
    Refused(String),
}

impl Graph {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            http: service_kit::http::client(PATIENCE),
            url: url.into(),
            token: None,
        }
    }

    pub(crate) fn signed_in(&self, token: &str) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// The data of an answer.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Result<Value, Fault> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(&*self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let unreachable = |error: reqwest::Error| Fault::new("", error.without_url().to_string());
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut answer: Value = answer
            .json()
            .await
            .map_err(|error| Fault::new("", format!("{status}: {}", error.without_url())))?;
        match answer["errors"].get(0) {
            Some(error) => {
                let code = error["extensions"]["code"].as_str().unwrap_or("UNKNOWN");
                Err(Fault::new(code, error["message"].as_str().unwrap_or_default()))
            }
            None => Ok(answer["data"].take()),
        }
    }

    /// The payload of a mutation; its first user error as a fault.
    async fn mutate(&self, field: &str, query: &str, input: Value) -> Result<Value, Fault> {
        let mut data = self.ask(query, json!({ "input": input })).await?;
        let payload = data[field].take();
        match payload["userErrors"].get(0) {
            Some(error) => Err(Fault::new(
                error["code"].as_str().unwrap_or_default(),
                error["message"].as_str().unwrap_or_default(),
            )),
            None => Ok(payload),
        }
    }

    /// A new customer, signed in; the key makes a repeat the same customer.
    pub(crate) async fn register(&self, email: &str) -> Result<Self, Fault> {
        const REGISTER: &str = include_str!("../operations/register.graphql");
        let input = json!({ "email": email, "password": PASSWORD, "displayName": "Ada" });
        let payload = self.mutate("register", REGISTER, input).await?;
        self.with_session(&payload)
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<Self, Fault> {
        const LOGIN: &str = include_str!("../operations/login.graphql");
        let input = json!({ "email": email, "password": password });
        let payload = self.mutate("login", LOGIN, input).await?;
        self.with_session(&payload)
    }

    fn with_session(&self, payload: &Value) -> Result<Self, Fault> {
        let token = payload["session"]["accessToken"].as_str();
        let token = token.ok_or_else(|| Fault::new("", payload.to_string()))?;
        Ok(self.signed_in(token))
    }

    /// A guest's or a customer's cart with one of each of these.
    pub(crate) async fn create_cart(&self, variants: &[&str], key: &str) -> Result<String, Fault> {
        const CREATE: &str = include_str!("../operations/create_cart.graphql");
        let line = |variant: &&str| json!({ "variantId": variant, "quantity": 1 });
        let lines: Vec<Value> = variants.iter().map(line).collect();
        let input = json!({ "currencyCode": "USD", "idempotencyKey": key, "lines": lines });
        let payload = self.mutate("createCart", CREATE, input).await?;
        let id = payload["cart"]["id"].as_str();
        id.map(str::to_owned)
            .ok_or_else(|| Fault::new("", payload.to_string()))
    }

    pub(crate) async fn create_order(&self, cart: &str, method: &str, key: &str) -> Result<Ordered, Fault> {
        const CREATE: &str = include_str!("../operations/create_order.graphql");
        let input = json!({ "cartId": cart, "paymentMethod": method, "idempotencyKey": key });
        let data = self.ask(CREATE, json!({ "input": input })).await?;
        let payload = &data["createOrder"];
        if let Some(code) = payload["userErrors"][0]["code"].as_str() {
            return Ok(Ordered::Refused(code.to_owned()));
        }
        let id = payload["order"]["id"].as_str();
        id.map(|id| Ordered::Order(id.to_owned()))
            .ok_or_else(|| Fault::new("", payload.to_string()))
    }

    /// Whether the order was cancelled, or it was too late.
    pub(crate) async fn cancel(&self, order: &str, key: &str) -> Result<bool, Fault> {
        const CANCEL: &str = include_str!("../operations/cancel_order.graphql");
        let input = json!({ "orderId": order, "idempotencyKey": key });
        match self.mutate("cancelOrder", CANCEL, input).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.code == "NOT_CANCELLABLE" => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Makes products of one variant with so much stock, as an administrator; their variants, in the SKUs' order.
    pub(crate) async fn stock_up(&self, skus: &[String], units: u32) -> Result<Vec<String>, Fault> {
        const PRODUCTS: &str = include_str!("../operations/staff/import_products.graphql");
        const STOCK: &str = include_str!("../operations/staff/import_stock.graphql");
        let product = |sku: &String| {
            json!({ "slug": sku.to_lowercase(), "title": sku, "description": "Made for a test",
                "categoryPath": ["Tests"], "variants": [{ "sku": sku, "title": "One",
                "price": { "amount": "12.50", "currencyCode": "USD" } }] })
        };
        let products: Vec<Value> = skus.iter().map(product).collect();
        self.mutate("importProducts", PRODUCTS, json!({ "products": products }))
            .await?;
        let line = |sku: &String| json!({ "sku": sku, "quantity": units });
        let lines: Vec<Value> = skus.iter().map(line).collect();
        let input = json!({ "idempotencyKey": fresh_key(), "lines": lines });
        self.mutate("importStock", STOCK, input).await?;
        let variants = include_str!("../operations/variants.graphql");
        let data = self.ask(variants, json!({ "skus": skus })).await?;
        let ids = data["variants"].as_array().into_iter().flatten();
        let ids: Vec<String> = ids
            .filter_map(|found| found["id"].as_str().map(str::to_owned))
            .collect();
        if ids.len() == skus.len() {
            Ok(ids)
        } else {
            Err(Fault::new(
                "",
                format!("{} of {} variants", ids.len(), skus.len()),
            ))
        }
    }
}

/// Of every customer of a campaign.
pub(crate) const PASSWORD: &str = "correct horse battery";
