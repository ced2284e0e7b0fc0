//! The ways in: the GraphQL listener of each service, the router, each internal route, the WebSocket.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use dev_stack::stack::{ROUTER, STAFF_ROUTER};
use futures::{SinkExt, StreamExt};
use reqwest::Method;
use roster::SERVICES;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::answer::Answer;
use crate::people::fresh_key;
use crate::world::{GATEWAY_KEY, World};

/// Longer than the server's own patience with a socket.
const PATIENCE: Duration = Duration::from_secs(25);

/// A WebSocket as a client has it.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Where a user's token is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Service(&'static str),
    /// The public graph.
    Router,
    /// The whole graph.
    Staff,
    Socket,
}

impl Door {
    pub(crate) fn all() -> Vec<Self> {
        let mut all: Vec<Self> = SERVICES.into_iter().map(Self::Service).collect();
        all.extend([Self::Router, Self::Staff, Self::Socket]);
        all
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Service(service) => service,
            Self::Router => ROUTER,
            Self::Staff => STAFF_ROUTER,
            Self::Socket => "websocket",
        }
    }

    pub(crate) fn is_router(self) -> bool {
        matches!(self, Self::Router | Self::Staff)
    }

    /// How a bad token is refused here.
    pub(crate) const fn refusals(self) -> &'static [&'static str] {
        match self {
            Self::Service(_) => &["401 UNAUTHENTICATED"],
            Self::Router | Self::Staff => &["200 UNAUTHENTICATED"],
            Self::Socket => &["close 4403"],
        }
    }
}

impl World {
    /// Where a GraphQL listener is: a service's or a router's.
    pub(crate) fn graphql_url(&self, door: Door) -> Result<String> {
        let plan = self.stack.plan();
        Ok(match door {
            Door::Service(service) => format!("http://127.0.0.1:{}/graphql", plan.ports_of(service)?.graphql),
            Door::Router => plan.graphql_url(),
            Door::Staff => plan.staff_url(),
            Door::Socket => bail!("a socket has no such address"),
        })
    }

    /// A request to a GraphQL listener as a gateway or browser sends it, without its body.
    pub(crate) fn post(&self, door: Door) -> Result<reqwest::RequestBuilder> {
        let request = self
            .http
            .post(self.graphql_url(door)?)
            .header("accept", "application/graphql-response+json")
            .header("content-type", "application/json");
        Ok(match door {
            Door::Service(_) => request.header("x-gateway-key", GATEWAY_KEY),
            _ => request,
        })
    }

    /// An operation at a GraphQL listener.
    pub(crate) async fn ask(
        &self,
        door: Door,
        token: Option<&str>,
        query: &str,
        variables: Value,
    ) -> Result<Answer> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.post(door)?.body(body.to_string());
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Answer::read(request.send().await?).await
    }

    /// What somebody with a forged administrator's token would do first at this door.
    pub(crate) fn prize(&self, door: Door) -> Value {
        let people = &self.people;
        let (query, input) = match door {
            Door::Service("auth") | Door::Staff | Door::Socket => (
                "mutation ($input: SetUserRolesInput!) { setUserRoles(input: $input) { user { id } userErrors { code } } }",
                json!({ "userId": people.bob.id, "roles": ["CUSTOMER", "ADMIN"] }),
            ),
            Door::Service("inventory") => (
                "mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { level { available } userErrors { code } } }",
                json!({ "sku": people.sku, "delta": 1, "reason": "forged", "idempotencyKey": fresh_key() }),
            ),
            Door::Router => (
                "query ($input: ID!) { order(id: $input) { id total { amount } } }",
                json!(people.order),
            ),
            Door::Service("review") => (
                "mutation ($input: HideReviewInput!) { hideReview(input: $input) { review { id } userErrors { code } } }",
                json!({ "reviewId": people.review, "reason": "forged" }),
            ),
            Door::Service("cart") => (
                "mutation ($input: ClearCartInput!) { clearCart(input: $input) { cart { id } userErrors { code } } }",
                json!({ "cartId": people.cart }),
            ),
            Door::Service("order") => (
                "mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { order { id } userErrors { code } } }",
                json!({ "orderId": people.order, "reason": "forged", "idempotencyKey": fresh_key() }),
            ),
            Door::Service("product") => (
                "mutation ($input: SetVariantPriceInput!) { setVariantPrice(input: $input) { product { id } userErrors { code } } }",
                json!({ "variantId": people.variant, "price": { "amount": "0.01", "currencyCode": "USD" }, "expectedVersion": 1 }),
            ),
            Door::Service("analytics") => (
                "mutation ($input: RebuildSalesInput!) { rebuildSales(input: $input) { rebuild { id } userErrors { code } } }",
                json!({ "reason": "forged" }),
            ),
            Door::Service("notification") => {
                ("{ deadNotificationMails { nodes { id lastError } } }", json!({}))
            }
            Door::Service("webhook") => (
                "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret userErrors { code } } }",
                json!({ "url": "https://thief.example", "eventTypes": ["ORDER_CREATED"], "idempotencyKey": fresh_key() }),
            ),
            Door::Service("payment") => ("{ payments { nodes { id amount { amount } } } }", json!({})),
            // A token is refused before anything is looked at.
            Door::Service(_) => ("{ __typename }", json!({})),
        };
        json!({ "query": query, "variables": { "input": input } })
    }

    /// Shows credentials at a door, asking for its prize.
    pub(crate) async fn show(&self, door: Door, authorization: &[String]) -> Result<Answer> {
        if door == Door::Socket {
            let value = authorization.first().map(String::as_str).unwrap_or_default();
            return self.greet(json!({ "authorization": value })).await;
        }
        let mut request = self.post(door)?.body(self.prize(door).to_string());
        for value in authorization {
            request = request.header("authorization", value);
        }
        Answer::read(request.send().await?).await
    }

    /// `connection_init` with this payload on a new socket: the acknowledgement, or how it was closed.
    pub(crate) async fn greet(&self, payload: Value) -> Result<Answer> {
        let mut socket = self.dial(&[]).await?;
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.send(Message::text(init.to_string())).await?;
        hear(&mut socket).await
    }

    /// An open socket of the right subprotocol, not initialised, with more headers.
    pub(crate) async fn dial(&self, headers: &[(&'static str, &str)]) -> Result<Socket> {
        let address = self.stack.plan().websocket_url("order");
        self.dial_at(&address, headers).await
    }

    /// The same at an address.
    pub(crate) async fn dial_at(&self, address: &str, headers: &[(&'static str, &str)]) -> Result<Socket> {
        let mut request = address.into_client_request()?;
        let map = request.headers_mut();
        map.insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        for (name, value) in headers {
            map.insert(*name, value.parse()?);
        }
        Ok(tokio_tungstenite::connect_async(request).await?.0)
    }
}

/// The next message of a socket as an answer: `close CODE`, the type of a message, or the code of its error.
pub(crate) async fn hear(socket: &mut Socket) -> Result<Answer> {
    loop {
        let frame = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .context("nothing heard")?;
        match frame {
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(&text)?;
                let kind = message["type"].as_str().unwrap_or("?");
                let code = message["payload"][0]["extensions"]["code"].as_str();
                return Ok(Answer {
                    outcome: code.map_or_else(|| kind.to_owned(), |code| format!("{kind} {code}")),
                    body: text.to_string(),
                });
            }
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                return Ok(Answer::new(format!("close {code}")));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Ok(Answer::new(format!("broken: {error}"))),
            None => return Ok(Answer::new("gone")),
        }
    }
}

/// An internal route, with a request that would do something.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) callee: &'static str,
    /// Who may call it.
    pub(crate) callers: &'static [&'static str],
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The same route with an id that is none: what the right caller is told.
    pub(crate) harmless: String,
    pub(crate) body: Option<Value>,
}

impl Route {
    pub(crate) fn name(&self) -> String {
        let path = self.harmless.replace("nonsense", "{id}");
        format!("{} {} {path}", self.callee, self.method)
    }
}

impl World {
    /// Every internal route there is.
    pub(crate) fn routes(&self) -> Vec<Route> {
        let (order, cart) = (&self.people.order, &self.people.cart);
        let fresh = "ord_01h455vb4pex5vsknk084sn02q";
        let usd = |minor: u32| json!({ "amount_minor": minor, "currency": "USD" });
        let start = json!({ "user_id": self.people.ada.id, "amount": usd(1), "method": "pm_card_visa" });
        let reserve = json!({ "lines": [{ "sku": self.people.sku, "quantity": 1 }], "ttl_s": 600 });
        let checked_out = json!({ "order_id": order, "version": 1 });
        let of_order: &[&str] = &["order"];
        let route = |callee, method: Method, path: String, id: &str, body: Option<Value>| Route {
            callee,
            callers: of_order,
            method,
            harmless: path.replace(id, "nonsense"),
            path,
            body,
        };
        let mut all = self.questions();
        all.extend([
            route("cart", Method::GET, format!("/carts/{cart}"), cart, None),
            route(
                "cart",
                Method::POST,
                format!("/carts/{cart}/checked-out"),
                cart,
                Some(checked_out),
            ),
            route(
                "inventory",
                Method::PUT,
                format!("/reservations/{fresh}"),
                fresh,
                Some(reserve),
            ),
            route(
                "inventory",
                Method::GET,
                format!("/reservations/{order}"),
                order,
                None,
            ),
            route(
                "inventory",
                Method::DELETE,
                format!("/reservations/{order}"),
                order,
                None,
            ),
            route(
                "inventory",
                Method::POST,
                format!("/reservations/{order}/confirm"),
                order,
                None,
            ),
            route(
                "inventory",
                Method::POST,
                format!("/reservations/{order}/restock"),
                order,
                None,
            ),
            route(
                "payment",
                Method::PUT,
                format!("/payments/{fresh}"),
                fresh,
                Some(start),
            ),
            route("payment", Method::GET, format!("/payments/{order}"), order, None),
            route(
                "payment",
                Method::POST,
                format!("/payments/{order}/void"),
                order,
                None,
            ),
            route(
                "payment",
                Method::POST,
                format!("/payments/{order}/refunds/forged"),
                order,
                Some(json!({ "amount": usd(1) })),
            ),
        ]);
        all
    }

    /// Routes that are the same for every order and cart.
    fn questions(&self) -> Vec<Route> {
        vec![
            Route {
                callee: "auth",
                callers: &["notification"],
                method: Method::POST,
                path: "/contacts/lookup".to_owned(),
                harmless: "/contacts/lookup".to_owned(),
                body: Some(json!({ "user_ids": [self.people.ada.id] })),
            },
            Route {
                callee: "product",
                callers: &["cart", "order"],
                method: Method::POST,
                path: "/variants/lookup".to_owned(),
                harmless: "/variants/lookup".to_owned(),
                body: Some(json!({ "variant_ids": [self.people.variant] })),
            },
            Route {
                callee: "cart",
                callers: &["analytics"],
                method: Method::GET,
                path: "/carts/started?from=2026-11-22T15:00:00Z&hours=1".to_owned(),
                harmless: "/carts/started?from=2026-11-22T15:00:00Z&hours=1".to_owned(),
                body: None,
            },
        ]
    }

    /// Calls an internal route with these headers.
    pub(crate) async fn call(&self, route: &Route, path: &str, headers: &[(&str, String)]) -> Result<Answer> {
        let port = self.stack.plan().ports_of(route.callee)?.internal;
        let url = format!("http://127.0.0.1:{port}{path}");
        let mut request = self.http.request(route.method.clone(), url);
        if let Some(body) = &route.body {
            request = request.json(body);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Answer::read(request.send().await?).await
    }
}
